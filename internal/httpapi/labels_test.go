package httpapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/label"
)

// labelled is a page of a report with its labels.
type labelled struct {
	reportBody
	Labels map[string]map[string]string
}

func (r *rig) speaking(query, accept string) (labelled, answer) {
	r.Helper()
	req := request(http.MethodGet, reportOf+query, r.token, "")
	if accept != "" {
		req.Header.Set("Accept-Language", accept)
	}
	a := r.send(req)
	var page labelled
	if a.Code == http.StatusOK {
		a.into(&page)
	}
	return page, a
}

func TestAPageHasTheLabelsOfItsCodes(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	page, a := r.speaking(year+"&locale=vi", "th")
	require.Equal(t, "vi", a.Header().Get("Content-Language"), "the parameter counts more")
	require.Equal(t, "Accept, Accept-Language", a.Header().Get("Vary"))
	require.Equal(t, map[string]map[string]string{
		"outcomes":        {"matched": "đã khớp", "refund_mismatch": "hoàn tiền không khớp", "missing_in_store": "không có trong cửa hàng", "missing_in_settlement": "thiếu trong sao kê"},
		"causes":          {"refund": "hoàn tiền", "not_yet_settled": "chưa thanh toán", "unknown": "không rõ nguyên nhân"},
		"categories":      {"advertising": "chi phí quảng cáo", "refund_principal": "hoàn tiền hàng"},
		"workflow_states": {"new": "mới"},
	}, page.Labels)
	require.Equal(t, "refund_mismatch", page.row(t, "B")["outcome"], "a code stays a code")

	page, _ = r.speaking(year+"&level=payout", "th-TH, en;q=0.5")
	require.Equal(t, "พิสูจน์ยอดได้", page.Labels["payout_outcomes"]["proven"])
	require.Equal(t, "จ่ายแล้ว", page.Labels["payout_states"]["paid"])
	require.Equal(t, "ยังไม่พบในบัญชีธนาคาร", page.Labels["deposit_outcomes"]["unseen"])
	page, _ = r.speaking(year+"&level=line&locale=vi", "")
	require.Equal(t, "không thuộc đơn hàng", page.Labels["outcomes"]["non_order"])
	require.Equal(t, "tiền hàng", page.Labels["categories"]["principal"])
	page, _ = r.speaking(year+"&columns=cause_1,outcome&outcome=refund_mismatch", "")
	require.Equal(t, "refund mismatch", page.Labels["outcomes"]["refund_mismatch"])
	require.Equal(t, "refund", page.Labels["causes"]["refund"])
}

// Every code on a page has a label, at every level and in every language.
func TestNoCodeIsWithoutALabel(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	for _, l := range label.Languages() {
		for _, level := range []string{"order", "line", "payout", "unsettled"} {
			page, _ := r.speaking(year+"&level="+level+"&locale="+string(l), "")
			for _, row := range page.Rows {
				kind := "outcomes"
				if level == "payout" {
					kind = "payout_outcomes"
				}
				require.NotEmpty(t, page.Labels[kind][row["outcome"].(string)], "%s %s", l, level)
			}
		}
	}
}

func TestTheLanguageIsOnlyOneOfLabels(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	first, a := r.speaking(year+"&limit=2&locale=vi", "")
	for _, query := range []string{"", "&locale=th", "&locale=en"} {
		other, b := r.speaking(year+"&limit=2"+query, "")
		require.Equal(t, first.Snapshot, other.Snapshot)
		require.Equal(t, a.Header().Get("ETag"), b.Header().Get("ETag"))
		require.Equal(t, first.Rows, other.Rows)
		require.Equal(t, first.Summary, other.Summary)
		require.Equal(t, first.Parameters, other.Parameters)
		next, b := r.speaking(year+"&limit=2"+query+"&cursor="+first.Next, "")
		require.Equal(t, http.StatusOK, b.Code, "a cursor goes on in any language")
		require.Len(t, next.Rows, 2)
	}
	english, vietnamese := r.get(reportOf+year+"&format=csv"), r.get(reportOf+year+"&format=csv&locale=vi")
	require.Equal(t, english.Body.String(), vietnamese.Body.String())
	require.Equal(t, "vi", vietnamese.Header().Get("Content-Language"))
}

func TestAWorkbookSaysWhatItsCodesAreCalled(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	for _, l := range label.Languages() {
		parts := unzipped(t, r.get(reportOf+year+"&format=xlsx&locale="+string(l)).is(http.StatusOK).Body.Bytes())
		for _, s := range label.Codes(label.Sheets) {
			require.Contains(t, parts["xl/workbook.xml"], `name="`+label.Of(l, label.Sheets, s)+`"`)
		}
		require.Contains(t, parts["xl/worksheets/sheet3.xml"], "refund_mismatch")
		require.Contains(t, parts["xl/worksheets/sheet3.xml"], "expected_net", "headings stay codes")
		about := parts["xl/worksheets/sheet7.xml"]
		for _, want := range []string{label.Of(l, label.Outcomes, "refund_mismatch"), label.Of(l, label.Columns, "expected_net"), label.Of(l, label.Categories, "storage_fee")} {
			require.Contains(t, about, want)
		}
	}
}

func TestAProblemOfTheReportIsToldInTheLanguage(t *testing.T) {
	r := newRig(t)
	problem := func(query, accept string, status int, code string) Problem {
		_, a := r.speaking(query, accept)
		return a.problem(status, code)
	}
	p := problem("tz=Mars&locale=vi", "", http.StatusBadRequest, "bad_parameter")
	require.Equal(t, "Một tham số không đúng", p.Title)
	require.Equal(t, "Giá trị là tên múi giờ như Asia/Ho_Chi_Minh.", p.Detail)
	p = problem("account=none", "th", http.StatusNotFound, "unknown_account")
	require.Equal(t, "ไม่มีบัญชีนี้", p.Title)
	p = problem("locale=fr", "vi", http.StatusBadRequest, "bad_parameter")
	require.Equal(t, "Một tham số không đúng", p.Title)
	require.Equal(t, "It is one of en, vi, th.", p.Detail)
	p = problem("tz=Mars", "", http.StatusBadRequest, "bad_parameter")
	require.Equal(t, "A parameter is wrong", p.Title)

	req := request(http.MethodGet, reportOf+"locale=th", "", "")
	a := r.send(req)
	require.Equal(t, "คำขอไม่มีโทเค็นที่ใช้ได้", a.problem(http.StatusUnauthorized, "unauthorized").Title)
	require.Equal(t, "th", a.Header().Get("Content-Language"))
	require.Empty(t, r.get("/payouts/none").Header().Get("Content-Language"), "only the report speaks")
}

// Every title and fixed text that the report can be answered with is there in every language, and
// none is there that nothing says.
func TestEveryFixedTextOfTheReportIsTranslated(t *testing.T) {
	for _, code := range label.Codes(label.Titles) {
		require.Equal(t, titles[code].title, label.Of(label.English, label.Titles, code), code)
	}
	said, elsewhere := fixedTexts(t, "report*.go", "sight.go", "payouts.go", "auth.go"), fixedTexts(t, "problem.go")
	for text, code := range said {
		require.NotEmpty(t, label.Of(label.Vietnamese, label.Titles, code), code)
		if text != "It is open, closed, paid, failed or returned." { // of the list of payouts
			require.NotEmpty(t, label.Of(label.Vietnamese, label.Details, text), text)
		}
	}
	for _, text := range label.Codes(label.Details) {
		require.True(t, said[text] != "" || elsewhere[text] != "", text)
	}
}

// fixedTexts are the details that are written out where problems are made, and the problems' codes.
func fixedTexts(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	text := func(e ast.Expr) string {
		l, ok := e.(*ast.BasicLit)
		if !ok || l.Kind != token.STRING {
			return ""
		}
		s, err := strconv.Unquote(l.Value)
		require.NoError(t, err)
		return s
	}
	for _, f := range sourceFiles(t, patterns...) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, _ := call.Fun.(*ast.Ident)
			if name == nil {
				return true
			}
			at := map[string]int{"badParameter": 1, "newProblem": 1, "member": 2}[name.Name]
			if at == 0 || text(call.Args[at]) == "" {
				return true
			}
			code := "bad_parameter"
			if name.Name != "badParameter" {
				code = text(call.Args[0])
			}
			out[text(call.Args[at])] = code
			return true
		})
	}
	return out
}

func sourceFiles(t *testing.T, patterns ...string) []*ast.File {
	t.Helper()
	var out []*ast.File
	for _, name := range matching(t, patterns...) {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		out = append(out, f)
	}
	require.NotEmpty(t, out)
	return out
}

func matching(t *testing.T, patterns ...string) []string {
	t.Helper()
	var out []string
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		require.NoError(t, err)
		out = append(out, slices.DeleteFunc(found, func(name string) bool { return strings.HasSuffix(name, "_test.go") })...)
	}
	return out
}
