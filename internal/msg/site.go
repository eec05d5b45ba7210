package msg

import "github.com/mingshi-audit/mingshi/audit"

// siteMessages are the sentences of site files and their checks. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var siteMessages = map[string]audit.Text{}
