package amazonfake

import (
	"fmt"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// Faults are probabilities between 0 and 1, and delays.
type Faults struct {
	Throttle    float64       // 429 although the limit leaves room
	Unavailable float64       // 503 before anything happened
	Down        bool          // every API call ends in 503
	Lost        float64       // the answer is lost after the effect
	Slow        float64       // the answer takes SlowFor longer
	SlowFor     time.Duration // 0: 2 s

	ListLag time.Duration // searchOrders shows a change only after this long
	ReadLag time.Duration // getOrder shows a change only after this long

	Drop      float64       // a notification is never sent
	Duplicate float64       // a notification is sent twice
	Reorder   float64       // a notification is held back for up to HoldFor
	HoldFor   time.Duration // 0: 2 min

	FeedFatal float64 // a feed ends FATAL, some of its messages carried out
	FeedStuck float64 // a feed stays IN_PROGRESS for good, some of its messages carried out
	FeedDoubt float64 // a feed's report is cut off, of another feed, contradicts itself or is missing

	MoneyLag time.Duration // a movement of money shows up to this much later than Options.RefundDelay

	ListTwice float64 // a report stands twice in a listing, perhaps on two pages

	// RefuseData answers calls that include one of these data sets with the status given.
	RefuseData map[string]int
	// RefuseTopics are notification types nobody may subscribe to: the role is missing.
	RefuseTopics []string
	// NoPersonalData leaves out what needs a role: buyer, address.
	NoPersonalData bool
}

// SetFaults replaces the faults from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (s *Server) chance(p float64) bool { return p > 0 && s.opt.Rand.Float64() < p }

func (s *Server) slowness() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.chance(s.faults.Slow) {
		return 0
	}
	if s.faults.SlowFor == 0 {
		return 2 * time.Second
	}
	return s.faults.SlowFor
}

type plan struct {
	rate  float64 // a second
	burst int
}

// plans are the usage plans of the official models.
var plans = map[string]plan{
	"getMarketplaceParticipations": {0.016, 15},
	"searchOrders":                 {0.0056, 20},
	"getOrder":                     {0.5, 30},
	"confirmShipment":              {2, 10},
	"getDestinations":              {1, 5},
	"createDestination":            {1, 5},
	"getSubscription":              {1, 5},
	"createSubscription":           {1, 5},
	"deleteSubscriptionById":       {1, 5},
	"createFeedDocument":           {0.5, 15},
	"createFeed":                   {0.0083, 15},
	"getFeed":                      {2, 15},
	"getFeeds":                     {0.0222, 10},
	"getFeedDocument":              {0.0222, 10},
	"listTransactions":             {0.5, 10},
	"listPayouts":                  {0.5, 10},
	"initiatePayout":               {0.017, 2},
	"getReports":                   {0.0222, 10},
	"createReport":                 {0.0167, 15},
	"getReportDocument":            {0.0167, 15},
}

// exceeds takes one call out of the operation's bucket and reports whether it was empty.
func (s *Server) exceeds(op string) bool {
	if s.opt.Scale < 0 {
		return false
	}
	b := s.buckets[op]
	if b == nil {
		p := plans[op]
		b = rate.NewLimiter(rate.Limit(p.rate*s.opt.Scale), max(1, int(float64(p.burst)*s.opt.Scale)))
		s.buckets[op] = b
	}
	return !b.AllowN(s.now(), 1)
}

// rateHeader is as helpful as Amazon's: often there, sometimes absent, sometimes not a number.
func (s *Server) rateHeader(op string, head http.Header) {
	switch s.opt.Rand.IntN(3) {
	case 0:
		head.Set("X-Amzn-Ratelimit-Limit", fmt.Sprint(plans[op].rate*max(s.opt.Scale, 0)))
	case 1:
		head.Set("X-Amzn-Ratelimit-Limit", "string")
	}
}
