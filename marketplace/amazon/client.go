package amazon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
)

// Operation names are Amazon's own.
const (
	opSearchOrders        = "searchOrders"
	opGetOrder            = "getOrder"
	opConfirmShipment     = "confirmShipment"
	opParticipations      = "getMarketplaceParticipations"
	opGetDestinations     = "getDestinations"
	opCreateDestination   = "createDestination"
	opGetSubscription     = "getSubscription"
	opCreateSubscription  = "createSubscription"
	opDeleteSubscription  = "deleteSubscriptionById"
	opCreateFeedDocument  = "createFeedDocument"
	opUploadFeed          = "uploadFeed" // to the presigned address, no operation of the API
	opCreateFeed          = "createFeed"
	opGetFeed             = "getFeed"
	opGetFeeds            = "getFeeds"
	opGetFeedDocument     = "getFeedDocument"
	opDownloadReport      = "downloadReport" // from the presigned address
	opListTransactions    = "listTransactions"
	opListPayouts         = "listPayouts"
	opGetReports          = "getReports"
	opGetReportDocument   = "getReportDocument"
	opDownloadStatement   = "downloadStatement" // from the presigned address
	requestID             = "X-Amzn-Requestid"
	rateHeader            = "X-Amzn-Ratelimit-Limit"
	codePackageNotFound   = "PackageToUpdateNotFound"
	codeConflict          = "Conflict"
	notificationsScope    = "sellingpartnerapi::notifications"
	hintDenied            = "Amazon refuses access: check the application's roles, the region and the seller's authorisation."
	maxMessage            = 300
	longestBelievedRefill = 10 * time.Minute
)

// limits are the usage plans of the official models: calls a second, and burst.
var limits = map[string]httpx.Limit{
	opSearchOrders:       {PerSecond: 0.0056, Burst: 20},
	opGetOrder:           {PerSecond: 0.5, Burst: 30},
	opConfirmShipment:    {PerSecond: 2, Burst: 10},
	opParticipations:     {PerSecond: 0.016, Burst: 15},
	opGetDestinations:    {PerSecond: 1, Burst: 5},
	opCreateDestination:  {PerSecond: 1, Burst: 5},
	opGetSubscription:    {PerSecond: 1, Burst: 5},
	opCreateSubscription: {PerSecond: 1, Burst: 5},
	opDeleteSubscription: {PerSecond: 1, Burst: 5},
	opCreateFeedDocument: {PerSecond: 0.5, Burst: 15},
	opCreateFeed:         {PerSecond: 0.0083, Burst: 15},
	opGetFeed:            {PerSecond: 2, Burst: 15},
	opGetFeeds:           {PerSecond: 0.0222, Burst: 10},
	opGetFeedDocument:    {PerSecond: 0.0222, Burst: 10},
	opListTransactions:   {PerSecond: 0.5, Burst: 10},
	opListPayouts:        {PerSecond: 0.5, Burst: 10},
	opGetReports:         {PerSecond: 0.0222, Burst: 10},
	opGetReportDocument:  {PerSecond: 0.0167, Burst: 15},
}

// client speaks the API word for word.
type client struct {
	http      *httpx.Client
	base      string
	seller    *tokens // of the seller's authorisation
	grantless *tokens // of the application alone
}

type request struct {
	op, method, path string
	query            url.Values
	body             any
	repeat           bool // a read
	grantless        bool
}

func newClient(cfg Config, h *httpx.Client) *client {
	source := func(form url.Values) *tokens {
		form.Set("client_id", cfg.ClientID)
		form.Set("client_secret", cfg.ClientSecret.Reveal())
		return &tokens{http: h, url: cfg.TokenURL, form: form, clock: cfg.HTTP.Clock}
	}
	return &client{
		http: h, base: cfg.Endpoint,
		seller:    source(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {cfg.RefreshToken.Reveal()}}),
		grantless: source(url.Values{"grant_type": {"client_credentials"}, "scope": {notificationsScope}}),
	}
}

// send makes one call and returns the answer of a success. Every other end is a classified
// error. A token the API refuses is replaced once; a refused write is left to its owner.
func (c *client) send(ctx context.Context, r request) (httpx.Answer, error) {
	source := c.seller
	if r.grantless {
		source = c.grantless
	}
	for first := true; ; first = false {
		token, err := source.get(ctx)
		if err != nil {
			return httpx.Answer{}, fault.Wrap(err, "%s", r.op)
		}
		ans, err := c.once(ctx, r, token)
		if err == nil || !fault.Is(err, fault.Denied) || !first || !source.drop(token) {
			return ans, err
		}
		if !r.repeat {
			return ans, &fault.Error{Class: fault.Temporary, Err: err, Code: "token_dropped"}
		}
	}
}

func (c *client) once(ctx context.Context, r request, token string) (httpx.Answer, error) {
	call := httpx.Call{Op: r.op, Method: r.method, URL: c.base + r.path, Repeat: r.repeat,
		Header: http.Header{"X-Amz-Access-Token": {token}, "Accept": {"application/json"}}}
	if len(r.query) > 0 {
		call.URL += "?" + r.query.Encode()
	}
	if r.body != nil {
		body, err := json.Marshal(r.body)
		if err != nil {
			return httpx.Answer{}, fault.New(fault.Refused, "%s: writing the body: %w", r.op, err)
		}
		call.Body = body
		call.Header.Set("Content-Type", "application/json")
	}
	ans, err := c.http.Do(ctx, call)
	if err != nil {
		return ans, err
	}
	if ans.Status >= 200 && ans.Status < 300 {
		c.http.Admitted(r.op)
		return ans, nil
	}
	return ans, c.failure(r, ans)
}

// failure turns an answer into a classified error.
func (c *client) failure(r request, ans httpx.Answer) error {
	var body struct{ Errors []apiError }
	_ = json.Unmarshal(ans.Body, &body) // an unreadable error body still has its status
	texts := make([]string, 0, len(body.Errors))
	e := &fault.Error{Class: httpx.Classify(ans.Status, r.repeat), Ref: ans.Header.Get(requestID)}
	for _, x := range body.Errors {
		texts = append(texts, strings.TrimSpace(x.Code+" "+x.Message+" "+x.Details))
		e.Code = or(e.Code, x.Code)
	}
	text := strings.Join(texts, "; ")
	if strings.Contains(text, codePackageNotFound) {
		e.Code = codePackageNotFound
	}
	if ans.Status == http.StatusConflict {
		e.Code = codeConflict
	}
	switch e.Class {
	case fault.Temporary:
		if ans.Status == http.StatusTooManyRequests {
			e.After = c.http.Throttled(r.op, refill(ans.Header.Get(rateHeader)))
		}
	case fault.Denied:
		e.Hint = hintDenied
	}
	e.Err = fmt.Errorf("amazon %s: %d %s", r.op, ans.Status, clean(text))
	return e
}

type apiError struct{ Code, Message, Details string }

// refill reads the rate header, which may be absent, a number or no number at all.
// 0 leaves the wait to the pacer.
func refill(header string) time.Duration {
	perSecond, err := strconv.ParseFloat(header, 64)
	if err != nil || !(perSecond > 0) {
		return 0
	}
	return time.Duration(min(float64(time.Second)/perSecond, float64(longestBelievedRefill)))
}

// tokenLike matches Amazon's tokens and secrets, should an answer ever repeat one.
var tokenLike = regexp.MustCompile(`(?:Atz[a-z]|Atc|amzn1\.oa2-cs)[|.][^\s"',;]*`)

// clean makes outside text fit for an error: no tokens, one line, bounded.
func clean(s string) string {
	s = strings.Join(strings.Fields(tokenLike.ReplaceAllString(s, "***")), " ")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

// read sends a read and decodes its answer into v.
func (c *client) read(ctx context.Context, r request, v any) (http.Header, error) {
	ans, err := c.send(ctx, r)
	if err != nil {
		return ans.Header, err
	}
	if err := json.Unmarshal(ans.Body, v); err != nil {
		e := fault.New(fault.Temporary, "amazon %s: the answer cannot be read: %w", r.op, err)
		e.Ref = ans.Header.Get(requestID)
		return ans.Header, e
	}
	return ans.Header, nil
}

// isLogin reports an error of the token exchange, which no change of the call can mend.
func isLogin(err error) bool {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return false
	}
	_, known := grantHints[e.Code]
	return known
}

// conflict reports that the thing to create is there already.
func conflict(err error) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Code == codeConflict
}

// explain adds what a person should do about a refused confirmation.
func explain(err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Code == codePackageNotFound {
		e.Hint = "Amazon counts the order as shipped already: compare the tracking numbers on the order."
	}
	return err
}
