package webhooks

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"channelbridge/connector"
)

// Config is what a server needs. Only Inbox has no good zero value.
type Config struct {
	Inbox   connector.Inbox
	Sources map[connector.ConnectionID]Source // may be replaced later, see SetSources and Put
	Clock   connector.Clock                   // nil: time.Now
	Log     *slog.Logger                      // nil: discards
	Metrics prometheus.Registerer             // nil: counted, shown nowhere
	Limits  Limits
	Nudge   func() // called after something new was kept; must not block. nil: nobody waits
}

// Limits bound what a stranger can make us spend. Zero fields take the default.
type Limits struct {
	MaxBody     int64 // bytes of one body; default 2 MiB
	MaxHeader   int   // bytes of all header lines; default 32 KiB
	MaxDepth    int   // nesting of a JSON body; default 64
	MaxBuffered int64 // bytes of all bodies held at once; default 256 MiB
	MaxInFlight int   // requests being verified and kept at once; default 1024

	ReadHeaderTimeout time.Duration // default 5 s
	ReadTimeout       time.Duration // of a whole request, against slow senders; default 10 s
	RecordTimeout     time.Duration // of keeping one request; default 4 s, senders wait 5
	DrainTimeout      time.Duration // of finishing requests when asked to stop; default 15 s

	RejectKeep   int     // refused deliveries kept per connection; default 1000
	RejectPerSec float64 // refused deliveries stored per connection and second; default 10
}

func (l Limits) withDefaults() Limits {
	def(&l.MaxBody, 2<<20)
	def(&l.MaxHeader, 32<<10)
	def(&l.MaxDepth, 64)
	def(&l.MaxBuffered, 256<<20)
	def(&l.MaxInFlight, 1024)
	def(&l.ReadHeaderTimeout, 5*time.Second)
	def(&l.ReadTimeout, 10*time.Second)
	def(&l.RecordTimeout, 4*time.Second)
	def(&l.DrainTimeout, 15*time.Second)
	def(&l.RejectKeep, 1000)
	def(&l.RejectPerSec, 10)
	return l
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}
