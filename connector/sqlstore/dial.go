package sqlstore

import (
	"context"
	"net"
	"time"
)

// dialer notices a server that has gone silent: probes when nothing is under way, and a bound
// on how long sent bytes may stay unacknowledged when something is.
type dialer struct{}

var network = net.Dialer{
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	Control:         boundUnacknowledged,
}

// Dial implements pq.Dialer.
func (dialer) Dial(kind, address string) (net.Conn, error) { return network.Dial(kind, address) }

// DialTimeout implements pq.Dialer.
func (d dialer) DialTimeout(kind, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, kind, address)
}

// DialContext implements pq.DialerContext.
func (dialer) DialContext(ctx context.Context, kind, address string) (net.Conn, error) {
	return network.DialContext(ctx, kind, address)
}
