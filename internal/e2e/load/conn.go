package load

import (
	"bytes"
	"errors"
	"strconv"
	"syscall"
	"time"
)

// conn is one sender's connection.
type conn struct {
	fd, n int
	sent  int
	began time.Time // of the push under way
	out   []byte    // its request
	in    [4096]byte
	have  int // bytes of its answer
}

// heads are what all requests of a run have in common: the lines before the delivery's ids, and
// those between them and what belongs to the push.
func heads(o Options) [2]string {
	return [2]string{"POST " + o.Path + " HTTP/1.1\r\nHost: " + o.Addr + "\r\nUser-Agent: Shopify-Captain-Hook\r\nContent-Type: application/json\r\n" +
		"X-Shopify-Topic: orders/create\r\nX-Shopify-Shop-Domain: " + o.Shop + "\r\nX-Shopify-API-Version: 2026-10\r\n" +
		"X-Shopify-Triggered-At: 2026-11-21T15:00:00.000000000Z\r\nX-Shopify-Webhook-Id: ", "\r\nX-Shopify-Hmac-Sha256: "}
}

// request writes the next push's request into out.
func (c *conn) request(heads [2]string, prefix string, p Push) {
	c.out = append(c.out[:0], heads[0]...)
	c.id(prefix)
	c.out = append(c.out, "\r\nX-Shopify-Event-Id: e-"...)
	c.id(prefix)
	c.out = append(append(c.out, heads[1]...), p.HMAC...)
	c.out = strconv.AppendInt(append(c.out, "\r\nContent-Length: "...), int64(len(p.Body)), 10)
	c.out = append(append(c.out, "\r\n\r\n"...), p.Body...)
}

// id writes what is this push's alone: prefix, sender and number.
func (c *conn) id(prefix string) {
	c.out = append(append(c.out, prefix...), '-')
	c.out = append(strconv.AppendInt(c.out, int64(c.n), 10), '-')
	c.out = strconv.AppendInt(c.out, int64(c.sent), 10)
}

var (
	errNotHTTP  = errors.New("the answer is not HTTP")
	errClosed   = errors.New("the connection was closed")
	lengthField = []byte("\r\ncontent-length:")
	emptyLine   = []byte("\r\n\r\n")
)

// read reads what is there and returns the answer's status; 0 while some of it is missing.
func (c *conn) read() (status int, err error) {
	n, err := syscall.Read(c.fd, c.in[c.have:])
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, errClosed // or the answer is longer than any answer to a push
	}
	c.have += n
	answer := c.in[:c.have]
	end := bytes.Index(answer, emptyLine)
	if end < 0 {
		return 0, nil
	}
	length, err := contentLength(answer[:end])
	if err != nil {
		return 0, err
	}
	if c.have < end+len(emptyLine)+length {
		return 0, nil
	}
	c.have = 0
	return strconv.Atoi(string(answer[len("HTTP/1.1 ") : len("HTTP/1.1 ")+3]))
}

// contentLength reads the length of an answer's body from its head.
func contentLength(head []byte) (int, error) {
	if len(head) < len("HTTP/1.1 200") {
		return 0, errNotHTTP
	}
	at := bytes.Index(bytes.ToLower(head), lengthField)
	if at < 0 {
		return 0, errNotHTTP // a push's answer names its length
	}
	value, _, _ := bytes.Cut(head[at+len(lengthField):], []byte("\r\n"))
	return strconv.Atoi(string(bytes.TrimSpace(value)))
}
