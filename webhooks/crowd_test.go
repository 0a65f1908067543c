package webhooks_test

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// post sends a signed order over a socket; 0 means that no answer came.
func (r *rig) post(c *http.Client, addr, id string) int {
	body := order(id)
	req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/webhooks/chan-1", bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header = signed(r, "msg-"+id, noon, body)
	resp, err := c.Do(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestManySendersAtOnce(t *testing.T) {
	t.Parallel()
	const senders, each = 64, 20
	r := newRig(t)
	addr, _ := r.listen()
	var wg sync.WaitGroup
	var bad atomic.Int32
	for n := range senders {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			defer c.CloseIdleConnections()
			for i := range each { // every order comes from four senders
				if r.post(c, addr, fmt.Sprint(n/4, "-", i)) != 200 {
					bad.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, bad.Load())
	require.Len(t, r.box.all(), senders/4*each)
	require.Equal(t, senders*each*3/4, r.box.repeats)
	require.EqualValues(t, senders/4*each, r.nudges.Load())
}

func TestStoppingLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.box.slow = 20 * time.Millisecond
	addr, stop := r.listen()
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
			defer c.CloseIdleConnections()
			for i := 0; ; i++ {
				id := fmt.Sprint(n, "-", i)
				if r.post(c, addr, id) != 200 {
					return // the door is closed
				}
				mu.Lock()
				acknowledged["msg-"+id] = true
				mu.Unlock()
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	require.NoError(t, stop(), "every request under way was finished")
	wg.Wait()
	kept := map[string]bool{}
	for _, d := range r.box.all() {
		kept[d.ID] = true
	}
	require.NotEmpty(t, acknowledged)
	for id := range acknowledged {
		require.True(t, kept[id], "%s was acknowledged and is gone", id)
	}
	require.Len(t, acknowledged, len(kept), "and every one that was kept got its answer")
}
