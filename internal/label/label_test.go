package label

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/marketplace"
)

func texts[T ~string](all []T) []string {
	var out []string
	for _, t := range all {
		out = append(out, string(t))
	}
	return out
}

// closed are the lists that labels are about, as the rules have them.
func closed() map[Kind][]string {
	var columns []string
	for _, level := range payout.Levels() {
		columns = append(columns, payout.Columns(level)...)
	}
	return map[Kind][]string{
		Outcomes:       append(texts(payout.Outcomes()), texts([]payout.Outcome{payout.Suggested, payout.Ambiguous, payout.NonOrder, payout.Unclassified})...),
		Causes:         texts(payout.CauseCodes()),
		Categories:     texts(marketplace.Categories()),
		WorkflowStates: {"new", "in_review", "claimed", "accepted", "written_off", "fixed", "reopened"},
		PayoutOutcomes: {"open", "proven", "not_proven", "failed", "returned", "superseded"},
		PayoutStates:   texts([]connector.PayoutState{connector.PayoutOpen, connector.PayoutClosed, connector.PayoutPaid, connector.PayoutFailed, connector.PayoutReturned}),
		Deposits:       {"unseen", "matched", "differs", "without_payout"},
		Parts:          {"expected", "variance", "orders_not_in_store", "non_order", "reserve", "unplaced_lines", "opening", "closing", "proof_gap", "paid", "selected", "prior_period"},
		Columns:        append(columns, "about", "name", "value"), // of the About sheet
	}
}

func TestEveryCodeOfTheClosedListsHasALabelInEveryLanguage(t *testing.T) {
	for kind, codes := range closed() {
		slices.Sort(codes)
		require.Equal(t, slices.Compact(codes), Codes(kind), "%s: no code without a label, and no label without a code", kind)
	}
}

func TestNoLabelIsEmptyOrAnothers(t *testing.T) {
	require.Len(t, tables, 12)
	for kind := range tables {
		for _, l := range Languages() {
			seen := map[string]string{}
			for _, code := range Codes(kind) {
				text := Of(l, kind, code)
				require.NotEmpty(t, strings.TrimSpace(text), "%s of %s in %s", code, kind, l)
				require.Equal(t, strings.TrimSpace(text), text)
				require.Empty(t, seen[text], "%s and %s of %s are both %q in %s", code, seen[text], kind, text, l)
				seen[text] = code
			}
		}
	}
}

// A label in Thai is written in Thai; one in Vietnamese is not the English one left over.
func TestLabelsAreInTheirLanguage(t *testing.T) {
	for kind := range tables {
		for _, code := range Codes(kind) {
			require.True(t, strings.ContainsFunc(Of(Thai, kind, code), func(r rune) bool { return unicode.Is(unicode.Thai, r) }), "%s of %s", code, kind)
			require.NotEqual(t, Of(English, kind, code), Of(Vietnamese, kind, code), "%s of %s", code, kind)
			require.False(t, strings.ContainsFunc(Of(English, kind, code), func(r rune) bool { return r > unicode.MaxASCII }), "%s of %s", code, kind)
		}
	}
	for _, s := range Codes(Sheets) {
		require.Equal(t, s, Of(English, Sheets, s))
		for _, l := range Languages() {
			require.LessOrEqual(t, len([]rune(Of(l, Sheets, s))), 28, "a number may follow")
		}
	}
}

func TestUnknownCodesHaveNoLabel(t *testing.T) {
	require.Empty(t, Of(Vietnamese, Outcomes, "fine"))
	require.Empty(t, Of(Vietnamese, "colours", "red"))
	require.Equal(t, "matched", Of("fr", Outcomes, "matched"))
	require.Equal(t, "đã khớp", Of(Vietnamese, Outcomes, "matched"))
	_, known := Parse("fr")
	require.False(t, known)
	l, known := Parse("th")
	require.True(t, known)
	require.Equal(t, Thai, l)
}

func TestTheLanguageAClientLikesBest(t *testing.T) {
	for header, want := range map[string]Language{"": English, "vi": Vietnamese, "VI-VN": Vietnamese, "th-TH,th;q=0.9,en;q=0.8": Thai, "fr": English, "*": English, "de, vi;q=0.4, en;q=0.3": Vietnamese,
		"vi;q=0.2, en;q=0.9": English, "th;q=0": English, "nonsense;;;": English, "vi;q=x": English, strings.Repeat("x-", 5000): English} {
		require.Equal(t, want, Preferred([]string{header}), header)
	}
	require.Equal(t, English, Preferred(nil))
	require.Equal(t, Thai, Preferred([]string{"de", "th"}))
}

func FuzzPreferred(f *testing.F) {
	for _, s := range []string{"vi-VN,vi;q=0.9", "*;q=0", ",,", "en-US-x-a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		_, known := Parse(string(Preferred([]string{header})))
		require.True(t, known)
	})
}
