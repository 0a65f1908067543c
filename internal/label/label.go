// Package label holds what people read where programs read codes: the words for the outcomes, causes,
// categories and columns of the payout report, in several languages. A label never stands for a code
// in what programs read, and nothing is decided by it.
//
// The tables are data: a code, and its word in each language. Tests hold them against the closed
// lists they are about.
package label

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Language is the code of a language that labels exist in.
type Language string

// The languages, the first being the one for everybody else.
const (
	English    Language = "en"
	Vietnamese Language = "vi"
	Thai       Language = "th"
)

// Languages lists them.
func Languages() []Language { return []Language{English, Vietnamese, Thai} }

// Kind is a list of codes. Two kinds may have the same code with different words.
type Kind string

// The kinds of codes. Those of pages are the names under which a page has its labels.
const (
	Outcomes       Kind = "outcomes" // of orders and of lines
	Causes         Kind = "causes"
	Categories     Kind = "categories"
	WorkflowStates Kind = "workflow_states"
	PayoutOutcomes Kind = "payout_outcomes"
	PayoutStates   Kind = "payout_states"
	Deposits       Kind = "deposit_outcomes"
	Parts          Kind = "parts" // of a bridge
	Columns        Kind = "columns"
	Sheets         Kind = "sheets"  // of a workbook, by their English names
	Titles         Kind = "titles"  // of problems, by their codes
	Details        Kind = "details" // of problems, by their English texts
)

// words are one label in every language.
type words struct{ en, vi, th string }

func (w words) in(l Language) string {
	switch l {
	case Vietnamese:
		return w.vi
	case Thai:
		return w.th
	}
	return w.en
}

var tables = map[Kind]map[string]words{
	Outcomes: outcomes, Causes: causes, Categories: categories, WorkflowStates: workflowStates, PayoutOutcomes: payoutOutcomes,
	PayoutStates: payoutStates, Deposits: deposits, Parts: parts, Columns: columns, Sheets: sheets, Titles: titles, Details: details,
}

// Of is the label of a code; "" when there is none.
func Of(l Language, k Kind, code string) string { return tables[k][code].in(l) }

// Codes lists the codes of a kind that have labels, sorted.
func Codes(k Kind) []string { return slices.Sorted(maps.Keys(tables[k])) }

// Parse reads the code of a language; false for one without labels.
func Parse(code string) (Language, bool) {
	l := Language(code)
	return l, slices.Contains(Languages(), l)
}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Vietnamese, language.Thai})

// Preferred is the language that the lines of an Accept-Language header like best; English when they
// name none there is.
func Preferred(lines []string) Language {
	_, i := language.MatchStrings(matcher, strings.Join(lines, ","))
	return Languages()[i]
}
