package notify

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/httpx"
)

// delays are the waits before each attempt, as the Standard Webhooks text suggests: the first at
// once, the tenth after 75 hours.
var delays = []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

const (
	longestWait   = 24 * time.Hour // that an endpoint may ask for
	longestReason = 300            // bytes
)

// judge says what an answer, or its absence, means for the attempt (from 1) that it ended. Jitter
// gives a number from 0 to below n.
func judge(now time.Time, attempt int, ans httpx.Answer, err error, jitter func(n int64) int64) connector.EventOutcome {
	o := connector.EventOutcome{Status: ans.Status, Reason: reason(ans.Status, err)}
	switch {
	case ans.Status >= 200 && ans.Status < 300:
		o.State = connector.EventDelivered
	case ans.Status == http.StatusGone, attempt >= len(delays):
		o.State = connector.EventGivenUp
	default:
		o.State = connector.EventWaiting
		o.NextAt = now.Add(max(around(delays[max(attempt, 1)], jitter), asked(now, ans)))
	}
	return o
}

// around is a delay, up to a tenth shorter or longer, so that what failed together does not come
// again together.
func around(d time.Duration, jitter func(n int64) int64) time.Duration {
	return d - d/10 + time.Duration(jitter(int64(d/5)+1))
}

// reason says in a few words why an attempt failed; "" when it did not. What the endpoint wrote is
// not repeated.
func reason(status int, err error) string {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status == http.StatusGone:
		return "answered 410: it wants no more events"
	case status >= 300 && status < 400:
		return fmt.Sprintf("answered %d: redirects are not followed, configure the new address", status)
	case status != 0:
		return fmt.Sprintf("answered %d", status)
	case err == nil:
		return "no answer"
	}
	text := "no answer: " + err.Error()
	return strings.ToValidUTF8(text[:min(len(text), longestReason)], "")
}

// asked is how long an endpoint that has too much to do wants to be left alone.
func asked(now time.Time, ans httpx.Answer) time.Duration {
	if ans.Status != http.StatusTooManyRequests && ans.Status != http.StatusServiceUnavailable {
		return 0
	}
	return retryAfter(now, ans.Header.Get("Retry-After"))
}

// retryAfter reads the header of that name: seconds or a date (RFC 9110, 10.2.3); 0 for anything
// else, and never more than longestWait.
func retryAfter(now time.Time, text string) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}
