package amazon

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/marketplace"
)

const feedNumber = "53347018456"

// reported writes a report of three messages; results are told in short: "2 Error 8123 text".
func reported(processed, successful, withError, warned int, results ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?><AmazonEnvelope><Header><DocumentVersion>1.02</DocumentVersion><MerchantIdentifier>A1</MerchantIdentifier></Header>
<MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID><ProcessingReport><DocumentTransactionID>%s</DocumentTransactionID><StatusCode>Complete</StatusCode>
<ProcessingSummary><MessagesProcessed>%d</MessagesProcessed><MessagesSuccessful>%d</MessagesSuccessful><MessagesWithError>%d</MessagesWithError><MessagesWithWarning>%d</MessagesWithWarning></ProcessingSummary>`,
		feedNumber, processed, successful, withError, warned)
	for _, r := range results {
		f := strings.SplitN(r, " ", 4)
		fmt.Fprintf(&b, "<Result><MessageID>%s</MessageID><ResultCode>%s</ResultCode><ResultMessageCode>%s</ResultMessageCode><ResultDescription>%s</ResultDescription>"+
			"<AdditionalInfo><AmazonOrderID>1</AmazonOrderID></AdditionalInfo></Result>", f[0], f[1], f[2], f[3])
	}
	return b.String() + "</ProcessingReport></Message></AmazonEnvelope>"
}

// Each case says what becomes of the messages 1, 2 and 3: a accepted, r rejected, ? unknown.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	one := reported(3, 2, 1, 0, "2 Error 8123 over the limit")
	cut := func(s, at string) string { return s[:strings.Index(s, at)] }
	for _, c := range []struct{ name, report, want, text string }{
		{"all well", reported(3, 3, 0, 0), "aaa", ""},
		{"one failed of three", one, "ara", "over the limit"},
		{"one failed twice", reported(3, 2, 1, 0, "2 Error 1 item one", "2 Error 2 item two"), "ara", "item one item two"},
		{"all failed", reported(3, 0, 3, 0, "1 Error 1 a", "2 Error 1 a", "3 Error 1 a"), "rrr", "a"},
		{"a warning is a success", reported(3, 3, 0, 1, "1 Warning 5 late"), "aaa", "late"},
		{"warnings counted apart", reported(3, 2, 0, 1, "1 Warning 5 late"), "aaa", "late"},
		{"a warning and an error", reported(3, 2, 1, 0, "1 Warning 5 late", "1 Error 6 no"), "raa", "late no"},
		{"an error without a word", reported(3, 2, 1, 0, "2 Error 8123 "), "ara", "no reason"},
		{"casing", strings.ReplaceAll(one, "Error</", "ERROR</"), "ara", ""},
		{"a result code nobody knows", reported(3, 3, 0, 0, "2 Notice 7 hm"), "a?a", "hm"},
		{"white space around the feed", strings.Replace(one, feedNumber, " "+feedNumber+"\n", 1), "ara", ""},
		{"no feed named", strings.Replace(one, feedNumber, "", 1), "ara", ""},
		{"latin character set", strings.Replace(strings.Replace(one, "UTF-8", "iso-8859-1", 1), "over the limit", "\xfcber dem Limit", 1), "ara", "?ber dem Limit"},

		{"of another feed", strings.Replace(one, feedNumber, "1", 1), "???", "of feed"},
		{"cut off before the results", cut(one, "<Result>"), "???", "cut off"},
		{"cut off after the first of two errors", cut(reported(3, 1, 2, 0, "1 Error 1 first", "3 Error 1 third"), "<MessageID>3"), "r??", "first"},
		{"cut off behind the last result", cut(one, "</ProcessingReport>"), "?r?", "over the limit"},
		{"cut off, with more errors than counted", cut(reported(3, 3, 0, 0, "2 Error 1 x"), "</ProcessingReport>"), "???", "cut off"},
		{"not finished", strings.Replace(one, "Complete", "Processing", 1), "?r?", ""},
		{"fewer processed", reported(2, 1, 1, 0, "2 Error 1 x"), "?r?", ""},
		{"more processed", reported(4, 3, 1, 0, "2 Error 1 x"), "?r?", ""},
		{"an error counted and not named", reported(3, 2, 1, 0), "???", "names 0"},
		{"an error named and not counted", reported(3, 3, 0, 0, "2 Error 1 x"), "???", "counts 0"},
		{"sums that do not add up", reported(3, 3, 1, 0, "2 Error 1 x"), "?r?", ""},
		{"nothing processed", reported(0, 0, 1, 0, "0 Error 5001 cannot be parsed"), "???", ""},
		{"an error of no message", reported(3, 3, 0, 0, "0 Error 5001 something broke"), "???", "something broke"},
		{"an error of a strange message", reported(3, 2, 1, 0, "9 Error 1 x"), "???", ""},
		{"no summary", one[:strings.Index(one, "<ProcessingSummary>")] + one[strings.Index(one, "<Result>"):], "???", "no counts"},
		{"a count left out", strings.Replace(one, "<MessagesSuccessful>2</MessagesSuccessful>", "", 1), "?r?", ""},
		{"a count that is none", strings.Replace(one, ">2</MessagesSucc", ">two</MessagesSucc", 1), "???", ""},
		{"two summaries", strings.Replace(one, "<Result>", one[strings.Index(one, "<ProcessingSummary>"):strings.Index(one, "<Result>")]+"<Result>", 1), "???", ""},
		{"two reports", strings.Replace(one, "</Message>", "</Message>"+one[strings.Index(one, "<Message>"):strings.Index(one, "</AmazonEnvelope>")], 1), "???", ""},
		{"a message number that is none", strings.Replace(one, "<Result><MessageID>2", "<Result><MessageID>x", 1), "???", ""},
		{"empty", "", "???", "cannot be read"},
		{"another document", "<html><body>Service unavailable</body></html>", "???", "cannot be read"},
		{"json", `{"errors":[]}`, "???", "cannot be read"},
		{"an entity", `<!DOCTYPE x [<!ENTITY e "e">]>` + strings.Replace(one, "over", "&e;", 1), "???", ""},
		{"very deep", strings.Repeat("<a>", 50000), "???", "cannot be read"},
	} {
		r := judge([]byte(c.report), feedNumber, []int{1, 2, 3})
		require.Equal(t, marketplace.BatchDone, r.State, c.name)
		require.Len(t, r.Verdicts, 3, c.name)
		got, texts := "", r.Text
		for i, v := range r.Verdicts {
			require.Equal(t, i+1, v.Number)
			got += map[marketplace.VerdictState]string{marketplace.VerdictAccepted: "a", marketplace.VerdictRejected: "r", marketplace.VerdictUnknown: "?"}[v.State]
			texts += "\n" + v.Text
			require.True(t, v.State == marketplace.VerdictAccepted || v.Text != "", "%s: what is not accepted has a reason", c.name)
		}
		require.Equal(t, c.want, got, "%s: %s", c.name, texts)
		require.Contains(t, texts, c.text, c.name)
	}
	v := judge([]byte(one), feedNumber, []int{1, 2, 3}).Verdicts[1]
	require.Equal(t, marketplace.Verdict{Number: 2, State: marketplace.VerdictRejected, Code: "8123", Text: "over the limit"}, v)
}

// Whatever the bytes are, each message gets one verdict, and none is accepted unless the whole
// report counts as many successes as there are accepted messages.
func FuzzResults(f *testing.F) {
	for _, s := range []string{reported(3, 3, 0, 0), reported(3, 2, 1, 0, "2 Error 8123 x"), reported(3, 3, 0, 1, "1 Warning 5 late"),
		reported(0, 0, 1, 0, "0 Error 5001 x"), "", "<AmazonEnvelope>", "\x1f\x8b\x08\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		plain, err := unpack(raw, 1<<20)
		if err != nil {
			return
		}
		messages := []int{1, 2, 3}
		r := judge(plain, feedNumber, messages)
		require.Len(t, r.Verdicts, len(messages))
		accepted := 0
		for i, v := range r.Verdicts {
			require.Equal(t, messages[i], v.Number)
			require.LessOrEqual(t, len(v.Text), 2*maxMessage)
			if v.State == marketplace.VerdictAccepted {
				accepted++
			}
		}
		if accepted > 0 {
			p, err := parseReport(plain)
			require.NoError(t, err)
			require.True(t, p.Whole)
			require.Equal(t, len(messages), *p.Summary.Processed)
			require.GreaterOrEqual(t, *p.Summary.Processed-*p.Summary.WithError, accepted)
		}
	})
}
