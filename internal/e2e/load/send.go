package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// Options of one run.
type Options struct {
	Addr    string // host:port of the bridge
	Path    string // /webhooks/{connection}
	Shop    string // the domain the pushes claim to come from
	Senders int    // connections, each with one push under way
	For     time.Duration
	Prefix  string // begins every delivery id, so that runs do not repeat each other's
	Pushes  []Push
}

// Result of one run. Latencies are of accepted pushes.
type Result struct {
	Accepted int           `json:"accepted"`
	Refused  int           `json:"refused"` // answered with anything but 200
	Broken   int           `json:"broken"`  // no answer
	Took     time.Duration `json:"took"`
	P50      time.Duration `json:"p50"`
	P99      time.Duration `json:"p99"`
	Max      time.Duration `json:"max"`
}

// Rate is accepted pushes a second.
func (r Result) Rate() float64 { return float64(r.Accepted) / r.Took.Seconds() }

// Run sends until the time is over and every push under way is answered.
func Run(ctx context.Context, o Options) Result {
	ctx, cancel := context.WithTimeout(ctx, o.For)
	defer cancel()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		sum   Result
		all   []time.Duration
	)
	began := time.Now()
	for n := range o.Senders {
		group.Go(func() {
			s := sender{Options: o, n: n}
			s.run(ctx)
			mu.Lock()
			defer mu.Unlock()
			sum.Accepted += len(s.took)
			sum.Refused += s.refused
			sum.Broken += s.broken
			all = append(all, s.took...)
		})
	}
	group.Wait()
	sum.Took = time.Since(began)
	sum.P50, sum.P99, sum.Max = Quantile(all, 0.50), Quantile(all, 0.99), Quantile(all, 1)
	return sum
}

// sender is one connection.
type sender struct {
	Options
	n               int
	conn            net.Conn
	in              *bufio.Reader
	took            []time.Duration
	refused, broken int
}

func (s *sender) run(ctx context.Context) {
	var out bytes.Buffer
	for i := 0; ctx.Err() == nil; i++ {
		push := s.Pushes[(s.n*7919+i)%len(s.Pushes)]
		out.Reset()
		s.write(&out, push, i)
		began := time.Now()
		status, err := s.exchange(out.Bytes())
		switch {
		case err != nil:
			s.broken++
			time.Sleep(10 * time.Millisecond)
		case status == 200:
			s.took = append(s.took, time.Since(began))
		default:
			s.refused++
		}
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

func (s *sender) write(out *bytes.Buffer, p Push, i int) {
	fmt.Fprintf(out, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Shopify-Captain-Hook\r\nContent-Type: application/json\r\n"+
		"X-Shopify-Topic: orders/create\r\nX-Shopify-Hmac-Sha256: %s\r\nX-Shopify-Shop-Domain: %s\r\nX-Shopify-API-Version: 2026-10\r\n"+
		"X-Shopify-Webhook-Id: %s-%d-%d\r\nX-Shopify-Event-Id: e-%s-%d-%d\r\nX-Shopify-Triggered-At: 2026-11-21T15:00:00.000000000Z\r\n"+
		"Content-Length: %d\r\n\r\n", s.Path, s.Addr, p.HMAC, s.Shop, s.Prefix, s.n, i, s.Prefix, s.n, i, len(p.Body))
	out.Write(p.Body)
}

// exchange sends one request and reads its answer; a broken connection is opened anew next time.
func (s *sender) exchange(request []byte) (status int, err error) {
	if s.conn == nil {
		if s.conn, err = net.DialTimeout("tcp", s.Addr, 5*time.Second); err != nil {
			s.conn = nil
			return 0, err
		}
		s.in = bufio.NewReader(s.conn)
	}
	defer func() {
		if err != nil {
			_ = s.conn.Close()
			s.conn = nil
		}
	}()
	if err = s.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, err
	}
	if _, err = s.conn.Write(request); err != nil {
		return 0, err
	}
	return s.answer()
}

var (
	errNotHTTP  = errors.New("the answer is not HTTP")
	lengthField = []byte("content-length:")
)

func (s *sender) answer() (int, error) {
	line, err := s.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, errNotHTTP
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, errNotHTTP
	}
	length := 0
	for {
		if line, err = s.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if len(line) > len(lengthField) && bytes.EqualFold(line[:len(lengthField)], lengthField) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(lengthField):]))); err != nil {
				return 0, errNotHTTP
			}
		}
	}
	_, err = io.CopyN(io.Discard, s.in, int64(length))
	return status, err
}
