package webhooks_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/webhooks"
)

// listen serves on a real socket until the test ends.
func (r *rig) listen() (addr string, stop func() error) {
	r.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(r, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.srv.Serve(ctx, l) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	r.Cleanup(func() { _ = stop() })
	return l.Addr().String(), stop
}

func short(c *webhooks.Config) {
	c.Limits.ReadHeaderTimeout, c.Limits.ReadTimeout = 150*time.Millisecond, 300*time.Millisecond
}

// raw speaks HTTP by hand and returns the status of the answer.
func raw(t *testing.T, addr string, write func(net.Conn)) (int, time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	began := time.Now()
	go write(conn)
	_ = conn.SetReadDeadline(began.Add(5 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, time.Since(began)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, time.Since(began)
}

func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	for name, mounted := range map[string]bool{"own server": false, "mounted elsewhere": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, short)
			var addr string
			if mounted {
				s := httptest.NewServer(r.srv.Handler())
				t.Cleanup(s.Close)
				addr = s.Listener.Addr().String()
			} else {
				addr, _ = r.listen()
			}
			status, took := raw(t, addr, func(c net.Conn) { // one byte at a time, for ever
				fmt.Fprintf(c, "POST /webhooks/chan-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
				for range 1000 {
					if _, err := c.Write([]byte("x")); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			})
			require.Equal(t, 408, status)
			require.Less(t, took, 3*time.Second)
			require.Len(t, r.box.refused(), 1)
			require.Contains(t, r.box.refused()[0].Reason, "slow: ")
		})
	}
	t.Run("headers and nothing else", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, short)
		s := httptest.NewServer(r.srv.Handler())
		t.Cleanup(s.Close)
		status, took := raw(t, s.Listener.Addr().String(), func(c net.Conn) {
			fmt.Fprintf(c, "POST /webhooks/chan-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		})
		require.Equal(t, 408, status)
		require.Less(t, took, 3*time.Second)
	})
	t.Run("slow headers", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, short)
		addr, _ := r.listen()
		_, took := raw(t, addr, func(c net.Conn) { fmt.Fprintf(c, "POST /webhooks/chan-1 HTTP/1.1\r\nHost: x\r\nX-A") })
		require.Less(t, took, 3*time.Second)
	})
}

func TestTruncatedBodies(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"shorter than announced": "Content-Length: 1000\r\n\r\n{}",
		"chunks without an end":  "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"broken chunk":           "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			addr, _ := r.listen()
			status, _ := raw(t, addr, func(c net.Conn) {
				fmt.Fprintf(c, "POST /webhooks/chan-1 HTTP/1.1\r\nHost: x\r\n%s", request)
				_ = c.(*net.TCPConn).CloseWrite()
			})
			require.Equal(t, 400, status)
			require.Len(t, r.box.refused(), 1)
			require.Contains(t, r.box.refused()[0].Reason, "truncated: ")
			require.Empty(t, r.box.all())
		})
	}
}

func TestOversizedBodiesAreNotReadToTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *webhooks.Config) { c.Limits.MaxBody = 1000 })
	for name, request := range map[string]string{
		"announced": "Content-Length: 100000000\r\n\r\n" + strings.Repeat("x", 2000),
		"chunked":   "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + strings.Repeat("x", 2000) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			addr, _ := r.listen()
			status, took := raw(t, addr, func(c net.Conn) { fmt.Fprintf(c, "POST /webhooks/chan-1 HTTP/1.1\r\nHost: x\r\n%s", request) })
			require.Equal(t, 413, status)
			require.Less(t, took, 3*time.Second)
		})
	}
	require.Len(t, r.box.refused(), 2)
	body := order("A")
	body = append(body, bytes.Repeat([]byte(" "), 1000-len(body))...)
	require.Equal(t, 200, r.send(channel, signed(t, "m", noon, body), body).Code, "exactly the limit is fine")
	body = append(body, ' ')
	require.Equal(t, 413, r.send(channel, signed(t, "m", noon, body), body).Code)
}

func TestALongKeepOutlivesTheReadTimeout(t *testing.T) {
	t.Parallel()
	r := newRig(t, short)
	r.box.slow = 600 * time.Millisecond
	addr, _ := r.listen()
	body := order("A")
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/webhooks/chan-1", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header = signed(t, "m1", noon, body)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode)
}

func TestWithoutRoomTheSenderComesAgain(t *testing.T) {
	t.Parallel()
	body := order("A")
	r := newRig(t, func(c *webhooks.Config) { c.Limits.MaxBuffered = 100 })
	require.Equal(t, 503, r.send(channel, signed(t, "m", noon, body), body).Code)
	require.Empty(t, r.box.refused(), "our lack of room is not the sender's mistake")

	r = newRig(t, func(c *webhooks.Config) { c.Limits.MaxInFlight = 1 })
	inside, leave, done := make(chan bool), make(chan bool), make(chan int)
	require.NoError(t, r.srv.Put(webhooks.Source{Connection: "long", Role: connector.RoleChannel,
		Channel: scripted(func(time.Time, marketplace.Inbound) ([]marketplace.Hint, error) {
			inside <- true
			<-leave
			return nil, nil
		})}))
	go func() { done <- r.send("long", nil, body).Code }()
	<-inside
	require.Equal(t, 503, r.send(channel, signed(t, "m2", noon, body), body).Code)
	close(leave)
	require.Equal(t, 200, <-done)
	require.Equal(t, 200, r.send(channel, signed(t, "m2", noon, body), body).Code)
}

func TestAFloodOfForgeriesReachesTheInboxInDrops(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *webhooks.Config) { c.Limits.RejectKeep = 15 })
	for range 500 {
		require.Equal(t, 401, r.send(channel, signed(t, "m", noon, order("B")), order("A")).Code)
	}
	require.Len(t, r.box.refused(), 10, "ten a second")
	later := noon.Add(time.Second)
	r.clock.Store(&later)
	for range 500 {
		require.Equal(t, 401, r.send(channel, signed(t, "m", later, order("B")), order("A")).Code)
	}
	require.Len(t, r.box.refused(), 15, "and no more than are kept")
	require.Less(t, strings.Count(r.log.String(), "\n"), 30, "nor is the log flooded")
	body := order("A")
	require.Equal(t, 200, r.send(channel, signed(t, "m", later, body), body).Code)
	require.Equal(t, connector.Accepted, r.box.all()[0].Verdict)
}
