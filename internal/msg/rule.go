package msg

import "github.com/mingshi-audit/mingshi/audit"

// ruleMessages are the sentences of rules, packs and the notice checker. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var ruleMessages = map[string]audit.Text{}
