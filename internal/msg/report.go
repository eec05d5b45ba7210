package msg

import "github.com/mingshi-audit/mingshi/audit"

// reportMessages are the sentences of reports, on paper, in a browser and on a terminal. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var reportMessages = map[string]audit.Text{}
