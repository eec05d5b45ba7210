package msg

import "github.com/mingshi-audit/mingshi/audit"

// guardMessages are the sentences of refusals of the guard. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var guardMessages = map[string]audit.Text{}
