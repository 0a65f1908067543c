package amazon

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
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
