package observe

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Health answers the questions of whoever runs the process: is it alive, and can it take work?
// Alive never depends on anything outside; a database that is gone is no reason for a restart.
type Health struct {
	ping  func(context.Context) error
	clock func() time.Time

	mu    sync.Mutex
	open  bool
	why   string // not ready because
	asked time.Time
	err   error
}

const (
	pingEvery   = time.Second
	pingTimeout = 3 * time.Second
)

// NewHealth makes a health that is not ready, because it is starting.
func NewHealth(clock func() time.Time) *Health {
	return &Health{clock: clock, why: "starting"}
}

// Ready says that start-up is over. From now on ping decides.
func (h *Health) Ready(ping func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ping, h.open, h.asked = ping, true, time.Time{}
}

// Close says that no more work is taken, and why.
func (h *Health) Close(why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open, h.why = false, why
}

// Check reports whether work can be taken now, and if not, why. The database is asked at most
// once a second however many ask.
func (h *Health) Check(ctx context.Context) (bool, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.open {
		return false, h.why
	}
	if now := h.clock(); h.asked.IsZero() || now.Sub(h.asked) >= pingEvery {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		h.err = h.ping(ctx)
		cancel()
		h.asked = h.clock()
	}
	if h.err != nil {
		return false, "the database does not answer"
	}
	return true, ""
}

// Routes mounts /healthz and /readyz.
func (h *Health) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { tell(w, true, "") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ok, why := h.Check(r.Context())
		tell(w, ok, why)
	})
}

func tell(w http.ResponseWriter, ok bool, why string) {
	body := struct {
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
	}{"ok", why}
	status := http.StatusOK
	if !ok {
		status, body.Status = http.StatusServiceUnavailable, "unavailable"
		w.Header().Set("Retry-After", "2")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the asker is gone if this fails
}
