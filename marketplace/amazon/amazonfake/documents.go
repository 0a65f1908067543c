package amazonfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

func (s *Server) newDocument(contentType string) *fileDoc {
	s.serial++
	d := &fileDoc{id: fmt.Sprintf("amzn1.tortuga.fake.%06d", s.serial), contentType: contentType, made: s.now()}
	s.documents[d.id] = d
	return d
}

// address signs for a document; in process it names a host of its own, as Amazon does.
func (s *Server) address(c *call, d *fileDoc) string {
	base := "http://" + c.Host
	if c.URL.Scheme != "" {
		base = "https://tortuga.fake"
	}
	s.serial++
	sign := fmt.Sprintf("%08x-%06d", s.opt.Rand.Uint32(), s.serial)
	s.signed[sign] = signature{d.id, s.now().Add(urlLife)}
	return base + "/documents/" + d.id + "?" + url.Values{"X-Amz-Signature": {sign}, "X-Amz-Expires": {"300"}}.Encode()
}

type signature struct {
	document string
	ends     time.Time
}

func (s *Server) createFeedDocument(c *call) result {
	var b struct{ ContentType string }
	if json.Unmarshal(c.body, &b) != nil || b.ContentType == "" {
		return badInput("contentType is required")
	}
	d := s.newDocument(b.ContentType)
	return result{http.StatusCreated, map[string]string{"feedDocumentId": d.id, "url": s.address(c, d)}}
}

// presigned serves the storage behind the addresses.
func (s *Server) presigned(w http.ResponseWriter, req *http.Request) {
	body, err := readAll(req)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["presigned."+req.Method]++
	sign, known := s.signed[req.URL.Query().Get("X-Amz-Signature")]
	d := s.documents[req.PathValue("id")]
	deny := func(status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
	}
	switch {
	case s.faults.Down || s.chance(s.faults.Unavailable):
		deny(http.StatusServiceUnavailable, "SlowDown")
	case err != nil || req.Header.Get("X-Amz-Access-Token") != "" || req.Header.Get("Authorization") != "":
		deny(http.StatusBadRequest, "InvalidRequest") // a token has no business here
	case !known || d == nil || sign.document != d.id || !s.now().Before(sign.ends):
		deny(http.StatusForbidden, "AccessDenied")
	case req.Method == http.MethodPut && (req.Header.Get("Content-Type") != d.contentType || d.contentType == ""):
		deny(http.StatusForbidden, "SignatureDoesNotMatch")
	case req.Method == http.MethodPut:
		d.body, d.uploaded = body, true
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Etag", fmt.Sprintf("%q", d.id))
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(d.body)) // parts too, where a Range asks for one
	}
	if s.chance(s.faults.Lost) {
		w.(*reply).lost = true
	}
}
