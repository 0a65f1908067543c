package httpapi

import (
	"net/http"
	"net/url"

	"channelbridge/connector/payout"
	"channelbridge/internal/label"
)

// speak chooses the language of an answer's labels and says so in its header: the locale that is
// asked for, else what the client likes best of what there is. Codes and numbers have none.
func (c *call) speak() {
	c.language = label.Preferred(c.Request().Header.Values("Accept-Language"))
	if l, known := label.Parse(c.Request().URL.Query().Get("locale")); known {
		c.language = l
	}
	h := c.Response().Header()
	h.Set("Content-Language", string(c.language))
	h.Set("Vary", "Accept, Accept-Language")
}

// readLocale refuses a language that there is not; speak has chosen it.
func readLocale(q url.Values) error {
	_, err := oneOf(q, "locale", words(label.Languages())...)
	return err
}

// in gives the problem's title, and its detail where it is always the same, in a language.
func (p *Problem) in(l label.Language) {
	if t := label.Of(l, label.Titles, p.Code); t != "" {
		p.Title = t
	}
	if t := label.Of(l, label.Details, p.Detail); t != "" {
		p.Detail = t
	}
}

// legend are the labels of the codes that occur on a page, by kind and code.
type legend struct {
	language label.Language
	labels   map[label.Kind]map[string]string
}

func (g legend) add(k label.Kind, code string) {
	text := label.Of(g.language, k, code)
	if text == "" {
		return
	}
	if g.labels[k] == nil {
		g.labels[k] = map[string]string{}
	}
	g.labels[k][code] = text
}

// legendOf reads what occurs in a page's summary and rows.
func legendOf(l label.Language, level string, summary []payout.SummaryJSON, rows []any) map[label.Kind]map[string]string {
	g := legend{l, map[label.Kind]map[string]string{}}
	for _, s := range summary {
		g.addSummary(s)
	}
	for _, row := range rows {
		switch row := row.(type) {
		case payout.OrderJSON:
			g.addOrder(row)
		case record:
			g.addRecord(level, row)
		}
	}
	return g.labels
}

func (g legend) addSummary(s payout.SummaryJSON) {
	for o := range s.Outcomes {
		g.add(label.Outcomes, string(o))
	}
	for c := range s.Variances {
		g.add(label.Causes, string(c))
	}
	for c := range s.NonOrder {
		g.add(label.Categories, string(c))
	}
}

func (g legend) addOrder(o payout.OrderJSON) {
	g.add(label.Outcomes, string(o.Outcome))
	g.add(label.WorkflowStates, string(o.Workflow))
	for _, c := range o.Causes {
		g.add(label.Causes, string(c.Code))
		g.add(label.Categories, string(c.Category))
	}
}

func (g legend) addRecord(level string, r record) {
	for i, cell := range r.cells {
		if k, coded := codesIn(level, r.columns[i]); coded {
			g.add(k, cell.Text)
		}
	}
}

// codesIn says which codes a column of a level holds; false for one without labels.
func codesIn(level, column string) (label.Kind, bool) {
	if column == "outcome" && level == "payout" {
		return label.PayoutOutcomes, true
	}
	k, coded := map[string]label.Kind{"outcome": label.Outcomes, "workflow_state": label.WorkflowStates, "category": label.Categories,
		"cause_1": label.Causes, "cause_2": label.Causes, "state": label.PayoutStates, "deposit_outcome": label.Deposits}[column]
	return k, coded
}

// legendKinds are the lists of codes that a workbook explains, and what each is called there.
var legendKinds = []struct {
	about string
	kind  label.Kind
}{{"outcome", label.Outcomes}, {"cause", label.Causes}, {"category", label.Categories}, {"workflow_state", label.WorkflowStates}, {"payout_outcome", label.PayoutOutcomes},
	{"payout_state", label.PayoutStates}, {"deposit_outcome", label.Deposits}, {"part", label.Parts}, {"column", label.Columns}}

// explain lists every code and its label.
func explain(l label.Language, add func(about, account, name, value string)) {
	for _, k := range legendKinds {
		for _, code := range label.Codes(k.kind) {
			add(k.about, "", code, label.Of(l, k.kind, code))
		}
	}
}

// sheetName is what a sheet is called.
func sheetName(l label.Language, english string) string { return label.Of(l, label.Sheets, english) }

// speaks reports a route whose answers have labels.
func (r route) speaks() bool { return r.method == http.MethodGet && r.path == reportPath }
