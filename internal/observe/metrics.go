package observe

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"channelbridge/connector"
	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
)

// Prefix begins the name of every metric of the bridge.
const Prefix = "channelbridge_"

// Metrics counts what the bridge does. Its methods fit the Observe hooks of the parts they watch.
type Metrics struct {
	Registry *prometheus.Registry

	calls       *prometheus.CounterVec
	callSeconds *prometheus.HistogramVec
	waits       *prometheus.CounterVec
	waitSeconds *prometheus.CounterVec
	looks       *prometheus.CounterVec
	lookSeconds prometheus.Histogram
	seen, news  *prometheus.CounterVec
	swept       *prometheus.GaugeVec
	wanted      *prometheus.GaugeVec
	purged      prometheus.Counter
	failures    *prometheus.CounterVec
	braked      *prometheus.CounterVec
	redacted    prometheus.Counter
	demands     *prometheus.GaugeVec
	ends        *prometheus.GaugeVec
	files       *prometheus.CounterVec
	unmapped    *prometheus.CounterVec
	events      *prometheus.CounterVec
	findings    *prometheus.GaugeVec
}

// NewMetrics makes the counters in a registry of their own, with those of the Go runtime.
func NewMetrics(version string) *Metrics {
	reg := prometheus.NewRegistry()
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: Prefix + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: Prefix + name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	m := &Metrics{
		Registry: reg,
		calls:    counter("calls_total", "Outside calls by service, operation and outcome.", "service", "op", "outcome"),
		callSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: Prefix + "call_seconds",
			Help: "Time from sending an outside call to its answer.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30}}, []string{"service", "op"}),
		waits:       counter("call_waits_total", "Outside calls that waited for their turn.", "service", "op"),
		waitSeconds: counter("call_wait_seconds_total", "Time outside calls waited for their turn.", "service", "op"),
		looks:       counter("looks_total", "Finished looks at an order by outcome: ok, held, or the class of the error.", "outcome"),
		lookSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: Prefix + "look_seconds",
			Help: "Time one look at an order took.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}),
		seen:     counter("sweep_seen_total", "Orders read by sweeps.", "connection", "sweep"),
		news:     counter("sweep_news_total", "Orders a sweep found changed: news that no push had brought.", "connection", "sweep"),
		swept:    gauge("sweep_page_timestamp_seconds", "When a sweep last read a page.", "connection", "sweep"),
		wanted:   gauge("subscriptions", "Wanted push subscriptions by state, as of the last check.", "connection", "state"),
		failures: counter("background_failures_total", "Work beside the orders that failed, by task: sweep, queue, subscriptions, probe, purge, rejoin, seal, redact, privacy, payouts, statements, transfers, deferrals, findings or events.", "task", "connection"),
		braked:   counter("brakes_total", "Times a channel was paused because one listing cancelled an unlikely share of its open orders.", "channel"),
		redacted: prometheus.NewCounter(prometheus.CounterOpts{Name: Prefix + "orders_redacted_total", Help: "Orders that personal data was taken out of."}),
		demands:  gauge("privacy_demands", "Demands about personal data that are still to be acted on or answered, by kind.", "connection", "kind"),
		ends:     gauge("credential_days_left", "Days until a secret or an authorisation of a connection ends, as of the last daily check.", "connection", "what"),
		files:    counter("payout_files_total", "Payout files by what became of them: proven, not_proven, known or rejected.", "account", "outcome"),
		unmapped: counter("payout_unclassified_lines_total", "Lines of imported payouts that say something nobody has mapped.", "account"),
		findings: gauge("payout_findings", "What somebody has to look at in payouts, as of the last look, by outcome and by what people have done.", "account", "outcome", "state"),
		events:   counter("event_deliveries_total", "Attempts to tell your own systems of an event, by outcome: delivered, retry or given_up.", "endpoint", "outcome"),
		purged:   prometheus.NewCounter(prometheus.CounterOpts{Name: Prefix + "deliveries_purged_total", Help: "Deliveries deleted because their time was over."}),
	}
	build := gauge("build_info", "Always 1; the label tells the version.", "version")
	build.WithLabelValues(version).Set(1)
	reg.MustRegister(m.callSeconds, m.lookSeconds, m.purged, m.redacted, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics. A gauge that cannot be read leaves the others in place.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Timeout: 10 * time.Second})
}

// Call counts an outside call.
func (m *Metrics) Call(e httpx.Event) {
	m.calls.WithLabelValues(e.Service, e.Op, e.Outcome).Inc()
	if e.Outcome != "unsent" {
		m.callSeconds.WithLabelValues(e.Service, e.Op).Observe(e.Took.Seconds())
	}
	if e.Wait > 0 {
		m.waits.WithLabelValues(e.Service, e.Op).Inc()
		m.waitSeconds.WithLabelValues(e.Service, e.Op).Add(e.Wait.Seconds())
	}
}

// Looked counts a finished look.
func (m *Metrics) Looked(l connector.Looked) {
	outcome := "ok"
	for _, h := range l.Next.Holds {
		if h.Level == connector.Blocks {
			outcome = "held"
		}
	}
	if l.Err != nil {
		outcome = fault.Of(l.Err).String()
	}
	m.looks.WithLabelValues(outcome).Inc()
	m.lookSeconds.Observe(l.Took.Seconds())
}

// Swept counts a page of a sweep.
func (m *Metrics) Swept(s connector.Sweep, at time.Time, seen, news int) {
	m.seen.WithLabelValues(string(s.Connection), s.Name).Add(float64(seen))
	m.news.WithLabelValues(string(s.Connection), s.Name).Add(float64(news))
	m.swept.WithLabelValues(string(s.Connection), s.Name).Set(float64(at.Unix()))
}

// Subscriptions shows how many of a connection's subscriptions are in which state. The check
// itself having failed is the state "unchecked".
func (m *Metrics) Subscriptions(conn connector.ConnectionID, byState map[string]int) {
	for _, state := range []string{"ok", "missing", "different", "created", "repaired", "unchecked"} {
		m.wanted.WithLabelValues(string(conn), state).Set(float64(byState[state]))
	}
}

// Imported counts a payout file, and the lines of it that nobody has classified.
func (m *Metrics) Imported(account connector.ConnectionID, outcome string, unclassified int) {
	m.files.WithLabelValues(string(account), outcome).Inc()
	m.unmapped.WithLabelValues(string(account)).Add(float64(unclassified))
}

// Findings sets how many findings an account has, by outcome and by what people have done.
func (m *Metrics) Findings(account connector.ConnectionID, counts map[[2]string]int) {
	m.findings.DeletePartialMatch(prometheus.Labels{"account": string(account)})
	for of, n := range counts {
		m.findings.WithLabelValues(string(account), of[0], of[1]).Set(float64(n))
	}
}

// Told counts deliveries of events to an endpoint by what became of them: delivered, retry or given_up.
func (m *Metrics) Told(endpoint, outcome string, n int) {
	m.events.WithLabelValues(endpoint, outcome).Add(float64(n))
}

// Failed counts a failure of the work beside the orders. It is repeated by itself.
func (m *Metrics) Failed(task string, conn connector.ConnectionID) {
	m.failures.WithLabelValues(task, string(conn)).Inc()
}

// Purged counts deleted deliveries.
func (m *Metrics) Purged(n int) { m.purged.Add(float64(n)) }

// Braked counts a channel that was paused by its brake.
func (m *Metrics) Braked(channel connector.ConnectionID) {
	m.braked.WithLabelValues(string(channel)).Inc()
}

// Redacted counts an order that personal data was taken out of.
func (m *Metrics) Redacted() { m.redacted.Inc() }

// Demands shows how many demands about personal data of a kind are open.
func (m *Metrics) Demands(conn connector.ConnectionID, kind string, n int) {
	m.demands.WithLabelValues(string(conn), kind).Set(float64(n))
}

// Ends shows how long until something of a connection ends by itself.
func (m *Metrics) Ends(conn connector.ConnectionID, what string, left time.Duration) {
	m.ends.WithLabelValues(string(conn), what).Set(left.Hours() / 24)
}
