package httpapi

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// importedView is what became of a payout file.
type importedView struct {
	Fresh        bool       `json:"fresh"` // false: the books held all of it already
	Source       sourceView `json:"source"`
	Payout       payoutView `json:"payout"`
	Unclassified int        `json:"unclassified_lines,omitempty"`

	Against *payout.Against `json:"difference,omitempty"` // of one that was issued anew
}

// sourceView is a payout file as it is kept.
type sourceView struct {
	Hash    string                 `json:"hash"`
	Account connector.ConnectionID `json:"account"`
	Name    string                 `json:"name,omitempty"`
	Origin  string                 `json:"origin"`
	By      string                 `json:"by,omitempty"`
	Format  string                 `json:"format,omitempty"`
	Size    int64                  `json:"size"`
	KeptAt  time.Time              `json:"kept_at"`
}

// importPayout takes a payout file. Its bytes are their own key: the same ones again change
// nothing, so it needs no Idempotency-Key and is read as a stream.
func (s *Server) importPayout(c *call) (reply, error) {
	q, err := c.query("account", "format", "name")
	if err != nil {
		return reply{}, err
	}
	if q.Get("account") == "" {
		return reply{}, badParameter("account", "It has to be given: whose payout is it?", "")
	}
	a, err := c.account("account", q.Get("account"))
	if err != nil {
		return reply{}, err
	}
	if c.Request().ContentLength > s.cfg.Limits.MaxFile {
		return reply{}, s.fileTooLarge()
	}
	body := &upload{body: http.MaxBytesReader(c.Response(), c.Request().Body, s.cfg.Limits.MaxFile)}
	got, err := c.paid.Import(c.ctx, payout.File{Account: a.ID, Name: q.Get("name"), Origin: "api", By: c.token.Name, Format: q.Get("format"), Body: body})
	if err != nil {
		return reply{}, s.notImported(body, err)
	}
	if got.Fresh {
		if err := s.store.Audit(c.ctx, importLine(c, got)); err != nil {
			return reply{}, fmt.Errorf("recording an import: %w", err)
		}
	}
	return importedReply(got)
}

func importedReply(got payout.Imported) (reply, error) {
	p, err := payoutOf(got.Payout)
	if err != nil {
		return reply{}, err
	}
	src := got.Source
	out := reply{status: http.StatusOK, header: map[string]string{"Location": "/v1/payouts/" + p.ID}, body: importedView{Fresh: got.Fresh, Payout: p, Unclassified: got.Unclassified, Against: got.Against,
		Source: sourceView{src.Hash, src.Account, src.Name, src.Origin, src.By, src.Format, src.Size, src.KeptAt.UTC()}}}
	if got.Fresh {
		out.status = http.StatusCreated
	}
	return out, nil
}

func importLine(c *call, got payout.Imported) connector.AuditEntry {
	return connector.AuditEntry{At: c.now, Actor: c.token.Name, Action: "payout", Subject: string(got.Source.Account),
		Reason: fmt.Sprintf("payout %s, revision %d, was imported from the file %s", got.Payout.External, got.Payout.Revision, got.Source.Hash)}
}

// upload is a body that remembers why it broke off.
type upload struct {
	body io.Reader
	err  error
}

func (u *upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}

// notImported says why: the body's fault, the file's, or ours.
func (s *Server) notImported(body *upload, err error) error {
	if _, large := errors.AsType[*http.MaxBytesError](body.err); large {
		return s.fileTooLarge()
	}
	if body.err != nil {
		return newProblem("invalid_body", "The file did not arrive whole; nothing of it is kept.", "Send it again.")
	}
	bad, ok := errors.AsType[*payout.RejectedError](err)
	if !ok {
		return fmt.Errorf("importing a payout file: %w", err)
	}
	p := newProblem("rejected_file", bad.Err.Error(), "Correct the file or the mapping of its form, and send it again.")
	p.Hash, p.Reason = bad.Hash, bad.Err.Error()
	if row, blamed := bad.Row(); blamed {
		p.Row, p.Column, p.Value, p.Reason = row.Row, row.Column, row.Value, row.Reason
	}
	return p
}

func (s *Server) fileTooLarge() *Problem {
	return newProblem("body_too_large", fmt.Sprintf("At most %d bytes of a payout file are read.", s.cfg.Limits.MaxFile), "Send it compressed with gzip.")
}
