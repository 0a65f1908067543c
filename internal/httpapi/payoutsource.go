package httpapi

import (
	"fmt"
	"io"
	"net/http"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// payoutSource sends the file a payout was read from, byte for byte as it came.
func (s *Server) payoutSource(c *call) (reply, error) {
	if _, err := c.query(); err != nil {
		return reply{}, err
	}
	p, _, err := s.payout(c)
	if err != nil {
		return reply{}, err
	}
	if p.Source == "" {
		return reply{}, fmt.Errorf("the file of payout %s: %w", p.External, connector.ErrSourceMissing)
	}
	body, err := c.paid.Store().OpenSource(c.ctx, p.Account, p.Source)
	if err != nil {
		return reply{}, fmt.Errorf("the file of payout %s: %w", p.External, err)
	}
	send := func(w io.Writer) error {
		defer func() { _ = body.Close() }()
		if _, err := io.Copy(w, body); err != nil {
			return fmt.Errorf("sending the file of payout %s: %w", p.External, err)
		}
		return nil
	}
	return reply{status: http.StatusOK, kind: "application/octet-stream", stream: send, header: map[string]string{
		"X-Content-SHA256": p.Source, "Content-Disposition": attachment(payout.ID(p) + ".source")}}, nil
}

// attachment says that a body is a file; name is one of ours and needs no escaping.
func attachment(name string) string { return fmt.Sprintf("attachment; filename=%q", name) }
