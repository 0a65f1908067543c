package amazon

import (
	"fmt"
	"slices"
	"strings"

	"channelbridge/marketplace"
)

// judge turns a report into one verdict for each message. A message without a Result was accepted
// only when the report is whole, of this feed, and its counts agree with its results and with the
// number of messages. A message is rejected when its Error stands in a report that does not
// contradict it. Everything else is unknown.
func judge(raw []byte, feed string, messages []int) marketplace.Results {
	r, err := parseReport(raw)
	said := r.byMessage(messages)
	flaw := r.flaw(err, feed, messages, said)
	trusted := r.Document == "" || strings.TrimSpace(r.Document) == feed
	out := marketplace.Results{State: marketplace.BatchDone, Text: r.words(flaw)}
	for _, n := range messages {
		v := marketplace.Verdict{Number: n, State: marketplace.VerdictUnknown, Text: flaw}
		switch s := said[n]; {
		case s.state == marketplace.VerdictRejected && trusted && r.admits(said):
			v = marketplace.Verdict{Number: n, State: s.state, Code: s.code, Text: s.text}
		case flaw != "":
			v.Text = strings.TrimSpace(flaw + " " + s.text)
		case s.state == "":
			v.State, v.Text = marketplace.VerdictAccepted, ""
		default:
			v = marketplace.Verdict{Number: n, State: s.state, Code: s.code, Text: s.text}
		}
		if v.State != marketplace.VerdictAccepted {
			v.Text = or(v.Text, "Amazon gives no reason")
		}
		v.Text = clean(v.Text)
		out.Verdicts = append(out.Verdicts, v)
	}
	return out
}

// saying is what the results of one message come to.
type saying struct {
	state      marketplace.VerdictState // empty: nothing was said
	code, text string
}

// byMessage puts the results together by message: one Error rejects it, a Warning alone leaves it
// accepted, a code nobody knows leaves it open. What is said about other messages stands under 0.
func (r processingReport) byMessage(messages []int) map[int]saying {
	rank := map[marketplace.VerdictState]int{marketplace.VerdictAccepted: 1, marketplace.VerdictUnknown: 2, marketplace.VerdictRejected: 3}
	said := map[int]saying{}
	for _, x := range r.Results {
		n := x.Message
		if !slices.Contains(messages, n) {
			n = 0
		}
		state := marketplace.VerdictUnknown
		switch {
		case strings.EqualFold(x.Code, "Error"):
			state = marketplace.VerdictRejected
		case strings.EqualFold(x.Code, "Warning"):
			state = marketplace.VerdictAccepted
		}
		s := said[n]
		if rank[state] > rank[s.state] {
			s.state, s.code = state, strings.TrimSpace(x.MessageCode)
		}
		s.text = clean(s.text + " " + x.Description)
		said[n] = s
	}
	return said
}

// rejected counts the messages that have an Error, those outside of the batch left out.
func rejected(said map[int]saying) (n int) {
	for number, s := range said {
		if number != 0 && s.state == marketplace.VerdictRejected {
			n++
		}
	}
	return n
}

// admits reports whether the errors stated can be true: a report read to its end must count as
// many as it states, one cut off may count more.
func (r processingReport) admits(said map[int]saying) bool {
	if r.Summary == nil || r.Summary.WithError == nil || r.Reports != 1 {
		return false
	}
	n, told := rejected(said), *r.Summary.WithError
	return told == n || !r.Whole && told > n
}

// flaw says why the report does not prove what it leaves unsaid; empty when it does.
func (r processingReport) flaw(err error, feed string, messages []int, said map[int]saying) string {
	s := r.Summary
	switch {
	case r.Reports == 0:
		return "the report cannot be read"
	case r.Document != "" && strings.TrimSpace(r.Document) != feed:
		return fmt.Sprintf("the report is of feed %.40q", r.Document)
	case err != nil || !r.Whole:
		return "the report is cut off or broken"
	case !strings.EqualFold(strings.TrimSpace(r.Status), "Complete"):
		return fmt.Sprintf("the report's status is %.40q", r.Status)
	case s == nil || s.Processed == nil || s.Successful == nil || s.WithError == nil:
		return "the report has no counts"
	case *s.Processed != len(messages):
		return fmt.Sprintf("the report counts %d messages of %d", *s.Processed, len(messages))
	case *s.WithError != rejected(said):
		return fmt.Sprintf("the report counts %d errors and names %d", *s.WithError, rejected(said))
	case *s.Successful+*s.WithError != *s.Processed && *s.Successful+*s.WithError+s.Warned != *s.Processed:
		return "the counts of the report do not add up"
	case said[0].state == marketplace.VerdictRejected:
		return "the report names an error of no message: " + said[0].text
	}
	return ""
}

// words is the report about the whole.
func (r processingReport) words(flaw string) string {
	if s := r.Summary; flaw == "" && s != nil {
		return fmt.Sprintf("%d processed, %d with an error", *s.Processed, *s.WithError)
	}
	return clean(flaw)
}
