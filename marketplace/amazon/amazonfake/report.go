package amazonfake

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
)

// write files the processing report, spoiled as the fate of the feed says.
func (s *Server) write(f *feed, done []verdict) {
	id, counts := f.id, (*[3]int)(nil)
	switch f.fate.Report {
	case "none":
		return
	case "foreign":
		id = "1"
	case "counts":
		counts = &[3]int{len(done) + 1, len(done), 2}
	}
	body := []byte(report(id, counts, done, s.opt.Rand))
	switch f.fate.Report {
	case "cut":
		body = body[:len(body)*2/3]
	case "bomb":
		body = append(body, bytes.Repeat([]byte(" "), 17<<20)...)
	}
	d := s.file(body)
	if f.fate.Report == "bomb" || s.opt.Rand.IntN(2) == 0 {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, _ = w.Write(d.body)
		_ = w.Close()
		d.body, d.gzip = z.Bytes(), true
	}
	f.result = d.id
}

func (s *Server) file(body []byte) *fileDoc {
	d := s.newDocument("")
	d.body = body
	return d
}

type reportResult struct {
	MessageID         int
	ResultCode        string
	ResultMessageCode string
	ResultDescription string
	AmazonOrderID     string `xml:"AdditionalInfo>AmazonOrderID,omitempty"`
}

type processingReport struct {
	DocumentTransactionID string
	StatusCode            string
	Processed             int            `xml:"ProcessingSummary>MessagesProcessed"`
	Successful            int            `xml:"ProcessingSummary>MessagesSuccessful"`
	WithError             int            `xml:"ProcessingSummary>MessagesWithError"`
	WithWarning           int            `xml:"ProcessingSummary>MessagesWithWarning"`
	Results               []reportResult `xml:"Result"`
}

// report writes Amazon's processing report. counts replaces the true counts.
func report(id string, counts *[3]int, done []verdict, chance interface{ IntN(int) int }) string {
	r := processingReport{DocumentTransactionID: id, StatusCode: "Complete", Processed: len(done)}
	for _, v := range done {
		if v.err == nil {
			r.Successful++
			if chance != nil && chance.IntN(8) == 0 {
				r.WithWarning++
				r.Results = append(r.Results, reportResult{v.message, "Warning", "90001", "The item was adjusted before.", v.order})
			}
			continue
		}
		r.WithError++
		r.Results = append(r.Results, reportResult{v.message, "Error", "90002", v.err.Error(), v.order})
	}
	if counts != nil {
		r.Processed, r.Successful, r.WithError = counts[0], counts[1], counts[2]
	}
	body, err := xml.MarshalIndent(struct {
		XMLName xml.Name         `xml:"AmazonEnvelope"`
		Version string           `xml:"Header>DocumentVersion"`
		Seller  string           `xml:"Header>MerchantIdentifier"`
		Type    string           `xml:"MessageType"`
		Message int              `xml:"Message>MessageID"`
		Report  processingReport `xml:"Message>ProcessingReport"`
	}{Version: "1.02", Seller: DefaultSeller, Type: "ProcessingReport", Message: 1, Report: r}, "", "  ")
	if err != nil {
		panic("amazonfake: " + err.Error())
	}
	return xml.Header + string(body)
}
