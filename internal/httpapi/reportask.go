package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector/payout"
)

// reportAsk is what a request for a report says.
type reportAsk struct {
	query    payout.Query
	accounts []payout.Account
	level    string
	zone     string // in which its days begin, and its tables show times
	place    *time.Location
	chosen   bool // the zone was asked for; else each row has its account's
	mixed    bool // it was not, and the accounts have not the same
	format   string
	columns  []string
	csv      payout.CSVOptions
	limit    int
	cursor   string
	list     string // what a cursor is bound to
}

// reportParameters are the parameters of a report as they were understood.
type reportParameters struct {
	Accounts   []string  `json:"account"`
	Payouts    []string  `json:"payout_id,omitempty"`
	From       time.Time `json:"from,omitzero"`
	To         time.Time `json:"to,omitzero"`
	FromDay    string    `json:"from_day,omitempty"` // in the place of from and to: days of each account's zone
	ToDay      string    `json:"to_day,omitempty"`
	Basis      string    `json:"basis"`
	Zone       string    `json:"tz"`
	Currencies []string  `json:"currency,omitempty"`
	Level      string    `json:"level"`
	Outcomes   []string  `json:"outcome,omitempty"`
	Causes     []string  `json:"cause,omitempty"`
	Categories []string  `json:"category,omitempty"`
	MinDiff    string    `json:"min_difference,omitempty"`
	Text       string    `json:"q,omitempty"`
	Sort       string    `json:"sort"`
	States     []string  `json:"workflow_state,omitempty"`
	Assignees  []string  `json:"assignee,omitempty"`
}

// parameters tells them with the query of the report they were first asked for.
func (a *reportAsk) parameters(q payout.Query) reportParameters {
	return reportParameters{Accounts: words(idsOf(a.accounts)), Payouts: q.Payouts, From: q.From.UTC(), To: q.To.UTC(), FromDay: q.FromDay, ToDay: q.ToDay, Basis: string(q.Basis), Zone: a.zone,
		Currencies: q.Currencies, Level: a.level, Outcomes: words(q.Outcomes), Causes: words(q.Causes), Categories: words(q.Categories),
		MinDiff: q.MinDiff, Text: q.Text, Sort: q.Sort, States: words(q.States), Assignees: q.Assignees}
}

func words[T ~string](all []T) []string {
	return views(all, func(t T) string { return string(t) })
}

// Parameters of a report, and whether they may be given several times.
var (
	reportOnce = []string{"from", "to", "basis", "tz", "level", "min_difference", "q", "sort", "as_of", "format", "bom", "delimiter", "locale", "limit", "cursor"}
	reportMany = []string{"channel", "account", "payout_id", "currency", "outcome", "cause", "category", "columns", "workflow_state", "assignee"}
	// What only says how a report is written does not bind its cursor.
	reportForm = []string{"format", "columns", "bom", "delimiter", "locale", "limit", "cursor"}
)

const (
	mostValues       = 100 // of one parameter
	mostReportPage   = 1000
	usualReportPage  = 100
	bestDifference   = "-abs_difference"
	levelOfOrders    = "order"
	levelOfUnsettled = "unsettled"
)

// asked reads the parameters of a report.
func (s *Server) asked(c *call) (*reportAsk, error) {
	q, err := c.values(reportOnce, reportMany)
	if err != nil {
		return nil, err
	}
	a := &reportAsk{cursor: q.Get("cursor")}
	for _, read := range []func() error{
		func() error { return a.readAccounts(c, q) },
		func() error { return a.readWords(q) },
		func() error { return a.readTimes(q, c.now) },
		func() error { return a.readNarrow(q) },
		func() error { return a.readPayouts(c, q["payout_id"]) },
		func() error { return readLocale(q) },
		func() error { return a.readForm(q, c.Request().Header.Values("Accept")) },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	if b := a.query.Basis; strings.HasPrefix(a.format, "journal-") && b != "" && b != payout.ByPaid {
		return nil, badParameter("basis", "A journal is of whole payouts.", "Ask for it by paid_at.")
	}
	for _, name := range reportForm {
		q.Del(name)
	}
	a.list = c.Request().URL.EscapedPath() + "?" + q.Encode()
	return a, nil
}

// values reads parameters that are known, once or several times; an empty one is not there.
func (c *call) values(once, many []string) (url.Values, error) {
	q, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, badParameter("", "The query cannot be read.", "")
	}
	for _, name := range sortedNames(q) {
		v := slices.DeleteFunc(q[name], func(s string) bool { return s == "" })
		several := slices.Contains(many, name)
		switch {
		case !several && !slices.Contains(once, name):
			return nil, badParameter(join("", name), "This parameter is not known here.", "See /v1/openapi.json for those that are.")
		case slices.ContainsFunc(v, func(s string) bool { return len(s) > maxCursor || !clean(s) }):
			return nil, badParameter(name, "It has to be a short text.", "")
		case !several && len(q[name]) > 1, len(v) > mostValues:
			return nil, badParameter(name, "It is given too often.", "")
		}
		if q[name] = v; len(v) == 0 {
			q.Del(name)
		}
	}
	return q, nil
}

func sortedNames(q url.Values) []string {
	var out []string
	for name := range q {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// readAccounts finds whose payouts are meant. A channel and an account are the same here; all that
// are named are in the report.
func (a *reportAsk) readAccounts(c *call, q url.Values) error {
	if len(q["channel"]) == 0 && len(q["account"]) == 0 {
		a.accounts = c.paid.Accounts()
		return nil
	}
	for _, name := range []string{"channel", "account"} {
		if len(q[name]) == 0 {
			continue
		}
		more, err := c.accounts(name, q[name]...)
		if err != nil {
			return err
		}
		for _, m := range more {
			if !slices.ContainsFunc(a.accounts, func(o payout.Account) bool { return o.ID == m.ID }) {
				a.accounts = append(a.accounts, m)
			}
		}
	}
	return nil
}

// oneOf reads a parameter that is one of a few words, the first where it is not given.
func oneOf(q url.Values, name string, may ...string) (string, error) {
	v := q.Get(name)
	if v == "" {
		return may[0], nil
	}
	if !slices.Contains(may, v) {
		return "", badParameter(name, "It is one of "+strings.Join(may, ", ")+".", "")
	}
	return v, nil
}

// readWords reads what is one of a few words.
func (a *reportAsk) readWords(q url.Values) (err error) {
	if a.level, err = oneOf(q, "level", levelOfOrders, "summary", "payout", "line", levelOfUnsettled); err != nil {
		return err
	}
	if a.query.Sort, err = oneOf(q, "sort", bestDifference, "due_at", "posted_at", "order"); err != nil {
		return err
	}
	basis, err := oneOf(q, "basis", string(payout.ByPaid), string(payout.ByPosted), string(payout.ByPlaced), string(payout.ByDue))
	a.query.Basis = payout.Basis(basis)
	return err
}

// readLimit reads how many rows a page has.
func readLimit(text string) (int, error) {
	if text == "" {
		return usualReportPage, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostReportPage {
		return 0, badParameter("limit", "It is a number from 1 to 1000.", "")
	}
	return n, nil
}
