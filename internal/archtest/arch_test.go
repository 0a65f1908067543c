// Package archtest fails the build when an arrow of docs/architecture.md is broken.
package archtest

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "channelbridge/"

// arrows says what each package may import of this module. A pattern ending in /... covers a
// folder and everything below it; the first pattern that fits a package counts.
var arrows = []struct {
	pkg string
	may []string
}{
	{"internal/money", nil},
	{"internal/fault", nil},
	{"internal/secret", nil},
	{"internal/httpx", []string{"internal/fault"}},
	{"internal/vault", []string{"internal/secret", "internal/fault"}},
	{"internal/signature", []string{"internal/secret"}},
	{"internal/pgtest/...", nil},
	{"internal/archtest", nil},
	{"internal/tray", nil},
	{"internal/spool", nil},
	{"internal/label", nil},
	{"internal/observe", []string{"connector", "internal/httpx", "internal/secret", "internal/fault"}},
	{"internal/notify", []string{"connector", "internal/httpx", "internal/signature"}},
	{"internal/httpapi", []string{"connector", "connector/order", "connector/payout", "internal/xlsx", "internal/label", "internal/money", "internal/fault", "internal/secret"}},
	{"internal/demo", []string{"..."}},
	{"internal/e2e/...", []string{"..."}},

	{"marketplace", []string{"internal/money", "internal/fault"}},
	{"shopadmin", []string{"internal/money", "internal/fault"}},
	{"marketplace/markettest", []string{"marketplace", "internal/money", "internal/fault"}},
	{"shopadmin/shoptest", []string{"shopadmin", "internal/money", "internal/fault"}},
	{"marketplace/fake", []string{"marketplace", "internal/money", "internal/fault"}},
	{"shopadmin/fake", []string{"shopadmin", "internal/money", "internal/fault"}},
	{"marketplace/amazon/...", []string{"marketplace", "marketplace/amazon/...", "internal/httpx", "internal/money", "internal/fault", "internal/secret"}},
	{"marketplace/generic/...", []string{"marketplace", "marketplace/generic/...", "internal/httpx", "internal/money", "internal/fault", "internal/secret", "internal/signature"}},
	{"shopadmin/shopify/...", []string{"shopadmin", "shopadmin/shopify/...", "internal/httpx", "internal/money", "internal/fault", "internal/secret"}},

	{"connector", []string{"internal/money", "internal/fault"}},
	{"connector/order", []string{"connector", "marketplace", "shopadmin", "internal/money", "internal/fault"}},
	{"connector/lifecycle", []string{"connector", "connector/order", "marketplace", "shopadmin", "internal/money", "internal/fault"}},
	{"connector/payout", []string{"connector", "connector/order", "marketplace", "shopadmin", "internal/money", "internal/fault", "internal/spool"}},
	{"connector/memstore", []string{"connector", "internal/money"}},
	{"connector/storetest", []string{"connector", "connector/order", "internal/money", "internal/fault"}},
	{"connector/sqlstore", []string{"connector", "migrations", "internal/money", "internal/fault"}},
	{"connector/sim", []string{"connector/...", "marketplace", "marketplace/fake", "shopadmin", "shopadmin/fake", "internal/money", "internal/fault"}},
	{"internal/xlsx", []string{"connector/payout", "internal/money"}},

	{"migrations", nil},
	{"webhooks", []string{"connector", "marketplace", "shopadmin", "internal/fault"}},
	{"cmd/...", []string{"..."}},
}

// thinkers decide; they may not do. No I/O, clock, database or logger in them.
var thinkers = map[string][]string{
	"connector/order": {"net/http", "database/sql", "os", "github.com/jmoiron/sqlx", "github.com/labstack/echo/v4"},
	"connector":       {"net/http", "database/sql", "os"},
	"marketplace":     {"database/sql", "os"},
	"shopadmin":       {"database/sql", "os"},
	"internal/money":  {"math/big", "time", "os"},
}

// keepers are the only packages that may import an outside library.
var keepers = map[string][]string{
	"github.com/labstack/echo/v4":              {"webhooks", "internal/...", "cmd/..."},
	"github.com/jmoiron/sqlx":                  {"connector/sqlstore", "internal/e2e/..."},
	"github.com/lib/pq":                        {"connector/sqlstore", "internal/pgtest/...", "migrations", "internal/e2e/...", "cmd/..."},
	"modernc.org/sqlite":                       {"connector/sqlstore", "migrations"},
	"database/sql":                             {"connector/sqlstore", "migrations", "internal/pgtest/...", "internal/e2e/...", "cmd/..."},
	"github.com/hashicorp/go-retryablehttp":    {"internal/httpx"},
	"github.com/aws/aws-sdk-go-v2/service/sqs": {"marketplace/amazon/..."},
	"github.com/xuri/excelize/v2":              {"internal/xlsx"},
}

func TestArrows(t *testing.T) {
	for pkg, imports := range packages(t) {
		may, found := allowed(pkg)
		if !found {
			t.Errorf("%s stands nowhere in the list of arrows: say where it belongs", pkg)
			continue
		}
		for _, imp := range imports {
			if own, ok := strings.CutPrefix(imp, module); ok && !fits(own, may) {
				t.Errorf("%s imports %s, which it may not", pkg, own)
			}
			for _, no := range thinkers[pkg] {
				if imp == no {
					t.Errorf("%s decides and may not import %s", pkg, imp)
				}
			}
			if only, kept := keepers[imp]; kept && !fits(pkg, only) {
				t.Errorf("%s imports %s, which belongs to %v", pkg, imp, only)
			}
		}
	}
}

func allowed(pkg string) ([]string, bool) {
	for _, a := range arrows {
		if fits(pkg, []string{a.pkg}) {
			return a.may, true
		}
	}
	return nil, false
}

func fits(pkg string, patterns []string) bool {
	for _, p := range patterns {
		if p == "..." || p == pkg {
			return true
		}
		if dir, below := strings.CutSuffix(p, "/..."); below && (pkg == dir || strings.HasPrefix(pkg, dir+"/")) {
			return true
		}
	}
	return false
}

// packages lists this module's packages with their imports, tests left out.
func packages(t *testing.T) map[string][]string {
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	list := map[string][]string{}
	for _, l := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(l)
		list[strings.TrimPrefix(fields[0], module)] = fields[1:]
	}
	require.Greater(t, len(list), 10)
	return list
}
