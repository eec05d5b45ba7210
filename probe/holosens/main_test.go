package holosens

import (
	"testing"

	"github.com/mingshi-audit/mingshi/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m, 8) }
