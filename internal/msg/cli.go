package msg

import "github.com/mingshi-audit/mingshi/audit"

// cliMessages are the sentences of the command line. Arguments carry explicit indexes (%[1]s), so that each language has its own order.
var cliMessages = map[string]audit.Text{}
