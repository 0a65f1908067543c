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
// until release is called, which is always safe. With an error comes what was read until then.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	var held int64
	release = func() { s.buffered.Add(-held); held = 0 }
	lim := s.cfg.Limits
	if r.ContentLength > lim.MaxBody {
		return nil, release, errTooLarge
	}
	// The deadline is the socket's, so it is real time whatever clock we were given. The server
	// lifts it when the body is in. A connection that can have none is one in a test.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lim.ReadTimeout))
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
