package webhooks

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Why a body could not be taken. Each has its own answer.
var (
	errTooLarge  = errors.New("body larger than the limit")
	errSlow      = errors.New("body not sent within the time limit")
	errTruncated = errors.New("body shorter than announced")
	errNoRoom    = errors.New("too many bytes held at once")
)

// readBody reads the whole body within the limits. The bytes count against the server's budget
// until release is called, which is always safe. size is how much was read, error or not.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	var held int64
	release = func() { s.buffered.Add(-held); held = 0 }
	lim := s.cfg.Limits
	if r.ContentLength > lim.MaxBody {
		return nil, release, errTooLarge
	}
	// Most bodies came with their headers. For the others there is a deadline. It is the socket's,
	// so it is real time whatever clock we were given, and is lifted once the body is in.
	conn, waiting := http.NewResponseController(w), false
	defer func() {
		if waiting && err == nil {
			_ = conn.SetReadDeadline(time.Time{})
		}
	}()
	// What a stranger announces is not believed beyond a few pages; the rest grows as it arrives.
	body = make([]byte, 0, min(max(r.ContentLength, 512), 8<<10)+1)
	for src := http.MaxBytesReader(w, r.Body, lim.MaxBody); ; {
		if grown := int64(cap(body)) - held; grown > 0 {
			held += grown
			if s.buffered.Add(grown) > lim.MaxBuffered {
				return nil, release, errNoRoom
			}
		}
		n, err := src.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, release, nil
		case err != nil:
			return body, release, bodyError(err)
		case len(body) == cap(body):
			body = append(body, 0)[:len(body)]
		}
		if !waiting {
			waiting = conn.SetReadDeadline(time.Now().Add(lim.ReadTimeout)) == nil
		}
	}
}

func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return errSlow
	}
	return errTruncated
}

// headerSize is about how many bytes the header lines took on the wire.
func headerSize(h http.Header) int {
	n := 0
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}
