package amazon

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"channelbridge/marketplace"
)

// processingReport is what Amazon says about a feed, as far as it can be read.
type processingReport struct {
	Document string // DocumentTransactionID: the feed
	Status   string // StatusCode
	Summary  *reportSummary
	Results  []reportResult
	Reports  int  // how many the document holds
	Whole    bool // read to the end without a mistake
}

type reportSummary struct {
	Processed  *int `xml:"MessagesProcessed"`
	Successful *int `xml:"MessagesSuccessful"`
	WithError  *int `xml:"MessagesWithError"`
	Warned     int  `xml:"MessagesWithWarning"`
}

type reportResult struct {
	Message     int    `xml:"MessageID"`
	Code        string `xml:"ResultCode"`
	MessageCode string `xml:"ResultMessageCode"`
	Description string `xml:"ResultDescription"`
}

// parseReport reads piece by piece, so that of a report cut off everything before the cut counts.
func parseReport(raw []byte) (processingReport, error) {
	var r processingReport
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = latin
	var path []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			r.Whole = r.Reports == 1 && len(path) == 0
			return r, nil
		}
		if err != nil {
			return r, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			taken, err := r.take(d, &t, strings.Join(path, "/"))
			if err != nil {
				return r, err
			}
			if taken {
				path = path[:len(path)-1]
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
		if len(path) > maxDepth {
			return r, errors.New("nested too deeply")
		}
	}
}

const maxDepth = 32

// take reads an element that is known, end tag included.
func (r *processingReport) take(d *xml.Decoder, t *xml.StartElement, path string) (bool, error) {
	const report = "AmazonEnvelope/Message/ProcessingReport"
	switch path {
	case report:
		r.Reports++
		return false, nil
	case report + "/DocumentTransactionID":
		r.once(r.Document == "")
		return true, d.DecodeElement(&r.Document, t)
	case report + "/StatusCode":
		return true, d.DecodeElement(&r.Status, t)
	case report + "/ProcessingSummary":
		r.once(r.Summary == nil)
		var s reportSummary
		err := d.DecodeElement(&s, t)
		if err == nil {
			r.Summary = &s
		}
		return true, err
	case report + "/Result":
		var x reportResult
		err := d.DecodeElement(&x, t)
		if err == nil {
			r.Results = append(r.Results, x)
		}
		return true, err
	}
	return false, nil
}

// once counts what stands twice as a second report: one of them is wrong.
func (r *processingReport) once(first bool) {
	if !first {
		r.Reports++
	}
}

// latin reads the character sets older reports come in. Only their ASCII carries meaning; of the
// rest a sign remains.
func latin(_ string, in io.Reader) (io.Reader, error) {
	raw, err := io.ReadAll(in)
	for i, b := range raw {
		if b >= 0x80 {
			raw[i] = '?'
		}
	}
	return bytes.NewReader(raw), err
}

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
