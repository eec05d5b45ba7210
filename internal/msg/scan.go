package msg

import "github.com/mingshi-audit/mingshi/audit"

// scanMessages are the sentences of the progress and the coverage of a scan. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var scanMessages = map[string]audit.Text{}
