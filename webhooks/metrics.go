package webhooks

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"channelbridge/connector"
)

// Verdicts that only metrics know: no row says them.
const (
	verdictFailed  = "failed"  // our fault: not kept, the sender was asked to come again
	verdictUnknown = "unknown" // for a connection that does not exist
)

type metrics struct {
	deliveries *prometheus.CounterVec
	unstored   *prometheus.CounterVec
	seconds    prometheus.Histogram
	inFlight   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	return &metrics{
		deliveries: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "channelbridge_deliveries_total",
			Help: "Pushes by connection and verdict.",
		}, []string{"connection", "verdict"})),
		unstored: register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "channelbridge_rejections_unstored_total",
			Help: "Refused pushes that were counted but not kept, because too many came at once.",
		}, []string{"connection"})),
		seconds: register(reg, prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "channelbridge_delivery_seconds",
			Help:    "Time from the first byte handled to the answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		})),
		inFlight: register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "channelbridge_deliveries_in_flight",
			Help: "Pushes being taken now.",
		})),
	}
}

// register adds c, or returns the one that is there already: two servers may share a registry.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	if err == nil {
		return c
	}
	if are, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if old, ok := are.ExistingCollector.(C); ok {
			return old
		}
	}
	panic(err) // two different metrics of one name: a mistake in the program
}

func (m *metrics) count(id connector.ConnectionID, verdict string) {
	m.deliveries.WithLabelValues(string(id), verdict).Inc()
}
