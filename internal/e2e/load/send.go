package load

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// Options of one run.
type Options struct {
	Addr    string // host:port of the bridge, the host an IPv4 address
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
	Broken   int           `json:"broken"`  // connections that gave no answer; they are not used again
	Took     time.Duration `json:"took"`
	P50      time.Duration `json:"p50"`
	P99      time.Duration `json:"p99"`
	Max      time.Duration `json:"max"`
}

// Rate is accepted pushes a second.
func (r Result) Rate() float64 { return float64(r.Accepted) / r.Took.Seconds() }

// patience is how long an answer is waited for.
const patience = 30 * time.Second

// run is one run. One thread waits for all connections at once, as pgbench does: a goroutine for
// each would be woken for each answer, and take that time from the machine that is measured.
type run struct {
	Options
	poll   int // the epoll descriptor
	conns  map[int32]*conn
	end    time.Time
	heads  [2]string
	result Result
	took   []time.Duration
}

// Run sends until the time is over and every push under way is answered.
func Run(o Options) (Result, error) {
	addr, err := netip.ParseAddrPort(o.Addr)
	if err != nil {
		return Result{}, fmt.Errorf("address of the bridge: %w", err)
	}
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return Result{}, fmt.Errorf("making an epoll descriptor: %w", err)
	}
	r := &run{Options: o, poll: poll, conns: map[int32]*conn{}, heads: heads(o)}
	defer r.close()
	for n := range o.Senders {
		if err := r.open(addr, n); err != nil {
			return Result{}, err
		}
	}
	began := time.Now()
	r.end = began.Add(o.For)
	for _, c := range r.conns {
		r.send(c)
	}
	if err := r.answers(); err != nil {
		return Result{}, err
	}
	r.result.Took = time.Since(began)
	r.result.Accepted = len(r.took)
	r.result.P50, r.result.P99, r.result.Max = Quantile(r.took, 0.50), Quantile(r.took, 0.99), Quantile(r.took, 1)
	return r.result, nil
}

// open connects the sender n. The descriptor blocks: it is read only when something is there, and
// one request always fits into what the kernel holds for a peer that reads.
func (r *run) open(addr netip.AddrPort, n int) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("making a socket: %w", err)
	}
	r.conns[int32(fd)] = &conn{fd: fd, n: n}
	limit := syscall.NsecToTimeval(patience.Nanoseconds())
	return errors.Join(
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit),
		syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.EpollCtl(r.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
}

func (r *run) close() {
	for _, c := range r.conns {
		_ = syscall.Close(c.fd)
	}
	_ = syscall.Close(r.poll)
}

// send begins the connection's next push, or ends the connection when the time is over.
func (r *run) send(c *conn) {
	c.began = time.Now()
	if !c.began.Before(r.end) {
		r.drop(c)
		return
	}
	c.request(r.heads, r.Prefix, r.Pushes[(c.n*7919+c.sent)%len(r.Pushes)])
	c.sent++
	if n, err := syscall.Write(c.fd, c.out); err != nil || n < len(c.out) {
		r.result.Broken++
		r.drop(c)
	}
}

func (r *run) drop(c *conn) {
	delete(r.conns, int32(c.fd))
	_ = syscall.Close(c.fd)
}

// answers takes answers, and sends the next push for each, until no connection is left.
func (r *run) answers() error {
	ready := make([]syscall.EpollEvent, r.Senders)
	for len(r.conns) > 0 {
		n, err := syscall.EpollWait(r.poll, ready, int(patience.Milliseconds()))
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("waiting for answers: %w", err)
		case n == 0:
			r.result.Broken += len(r.conns)
			return nil
		}
		for _, e := range ready[:n] {
			if c := r.conns[e.Fd]; c != nil {
				r.answer(c)
			}
		}
	}
	return nil
}

// answer reads what has come for a connection.
func (r *run) answer(c *conn) {
	status, err := c.read()
	switch {
	case err != nil:
		r.result.Broken++
		r.drop(c)
		return
	case status == 0:
		return // not all of it is there
	case status == 200:
		r.took = append(r.took, time.Since(c.began))
	default:
		r.result.Refused++
	}
	r.send(c)
}
