package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"channelbridge/connector"
)

// Source is where gauges come from.
type Source interface {
	Stats(ctx context.Context, now time.Time) (connector.Stats, error)
	Connections(ctx context.Context) ([]connector.Connection, error)
	Completeness(ctx context.Context, channel connector.ConnectionID, from time.Time, zone *time.Location) ([]connector.DayCount, error)
}

const (
	statsKept    = 5 * time.Second // however often somebody scrapes
	statsTimeout = 3 * time.Second // a scrape must not hang on a database that does
	daysCounted  = 7
)

var (
	descUp        = describe("stats_up", "1 when the gauges could be read from the database, 0 when not.")
	descOldest    = describe("queue_oldest_seconds", "How long the order that is due the longest has waited.")
	descDue       = describe("queue_due", "Orders due now and not being looked at.")
	descSubjects  = describe("orders", "Orders known.")
	descDeadlines = describe("queue_overdue", "Orders whose deadline has passed.")
	descEntries   = describe("ledger_entries", "Outside writes in the ledger by state.", "state")
	descHolds     = describe("holds", "Open holds by kind.", "kind")
	descShipments = describe("shipments", "Shipments of the last 7 days by whether they were confirmed on their day.", "day")
	descSameDay   = describe("same_day_share", "Share of the last 7 days' shipments confirmed on their day; absent without shipments.")
	descKept      = describe("deliveries_kept", "Pushes in the database by verdict.", "verdict")
	descState     = describe("connection_state", "1 for the state a connection is in.", "connection", "platform", "role", "state")
	descCount     = describe("completeness", "Orders placed on a day of the last 7: seen, expected in the store, mirrored there.", "channel", "day", "count")
	descTelling   = describe("events_waiting", "Events that an endpoint is still to be told of.", "endpoint")
	descUntold    = describe("events_given_up", "Events that were given up for an endpoint and can be sent again.", "endpoint")
	descTellOld   = describe("events_oldest_seconds", "How long ago the oldest event happened that an endpoint is still to be told of.", "endpoint")
	descShare     = describe("completeness_share", "Mirrored share of the orders expected in the store, last 7 days; absent without orders.", "channel")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(Prefix+name, help, labels, nil)
}

// gauges reads the database when somebody scrapes.
type gauges struct {
	src   Source
	clock func() time.Time
	zone  *time.Location
	log   *slog.Logger

	mu     sync.Mutex
	at     time.Time
	values []prometheus.Metric
}

// Gauges adds what the database knows. Days are counted in the given zone.
func (m *Metrics) Gauges(src Source, clock func() time.Time, zone *time.Location, log *slog.Logger) {
	m.Registry.MustRegister(&gauges{src: src, clock: clock, zone: zone, log: log})
}

// Describe names all gauges.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descUp, descOldest, descDue, descSubjects, descDeadlines, descEntries, descHolds,
		descShipments, descSameDay, descKept, descState, descCount, descShare, descTelling, descUntold, descTellOld} {
		ch <- d
	}
}

// Collect gives out the gauges, read anew when the last reading is too old.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := g.clock(); g.at.IsZero() || now.Sub(g.at) >= statsKept {
		ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
		values, err := g.read(ctx, now)
		cancel()
		up := 1.0
		if err != nil {
			up = 0
			g.log.Warn("gauges not read", "error", err)
		}
		g.at, g.values = now, append(values, prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up))
	}
	for _, v := range g.values {
		ch <- v
	}
}

func (g *gauges) read(ctx context.Context, now time.Time) (out []prometheus.Metric, err error) {
	set := func(d *prometheus.Desc, v float64, labels ...string) {
		out = append(out, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
	}
	s, err := g.src.Stats(ctx, now)
	if err != nil {
		return nil, err
	}
	set(descOldest, s.OldestDue.Seconds())
	set(descDue, float64(s.Due))
	set(descSubjects, float64(s.Subjects))
	set(descDeadlines, float64(s.Deadlines))
	for state, n := range s.Entries {
		set(descEntries, float64(n), string(state))
	}
	for kind, n := range s.Holds {
		set(descHolds, float64(n), kind)
	}
	for v, n := range s.Deliveries {
		set(descKept, float64(n), string(v))
	}
	for endpoint, c := range s.Events {
		set(descTelling, float64(c.Waiting), endpoint)
		set(descUntold, float64(c.GivenUp), endpoint)
		set(descTellOld, c.Oldest.Seconds(), endpoint)
	}
	set(descShipments, float64(s.SameDay), "same")
	set(descShipments, float64(s.Late), "late")
	if all := s.SameDay + s.Late; all > 0 {
		set(descSameDay, float64(s.SameDay)/float64(all))
	}
	conns, err := g.src.Connections(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range conns {
		for _, st := range []connector.State{connector.Active, connector.Paused, connector.Disconnected, connector.Removed, connector.Reconnecting} {
			set(descState, boolean(c.State == st), string(c.ID), c.Platform, string(c.Role), string(st))
		}
		if c.Role != connector.RoleChannel {
			continue
		}
		days, err := g.src.Completeness(ctx, c.ID, now.AddDate(0, 0, -daysCounted), g.zone)
		if err != nil {
			return out, err
		}
		completeness(set, string(c.ID), days)
	}
	return out, nil
}

func completeness(set func(*prometheus.Desc, float64, ...string), channel string, days []connector.DayCount) {
	var sum connector.DayCount
	for _, d := range days {
		set(descCount, float64(d.Seen), channel, d.Day, "seen")
		set(descCount, float64(d.Expected), channel, d.Day, "expected")
		set(descCount, float64(d.Mirrored), channel, d.Day, "mirrored")
		sum.Expected, sum.Mirrored = sum.Expected+d.Expected, sum.Mirrored+d.Mirrored
	}
	if sum.Expected > 0 {
		set(descShare, float64(sum.Mirrored)/float64(sum.Expected), channel)
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
