package msg

import "github.com/mingshi-audit/mingshi/audit"

// labMessages are the sentences of the simulated shop. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var labMessages = map[string]audit.Text{}
