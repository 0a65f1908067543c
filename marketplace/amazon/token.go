package amazon

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
)

const (
	renewEarly = time.Minute // before a token ends
	denialKept = time.Minute // a refused grant is not asked for again sooner
)

// tokens gives out one access token of Login with Amazon and renews it. All callers share
// one renewal; a refusal is remembered, so that nobody asks in a loop.
type tokens struct {
	http  *httpx.Client
	url   string
	form  url.Values
	clock func() time.Time

	group  singleflight.Group
	mu     sync.Mutex
	value  string
	got    time.Time // when value was issued
	renew  time.Time // from when on value is not used any more
	denied error
	retry  time.Time // until when denied stands
}

// get returns a token that is good for at least a minute.
func (t *tokens) get(ctx context.Context) (string, error) {
	if v, err, ok := t.known(); ok {
		return v, err
	}
	// The exchange outlives a caller that gives up: others wait for the same answer.
	shared := context.WithoutCancel(ctx)
	ch := t.group.DoChan("", func() (any, error) { return t.exchange(shared) })
	select {
	case r := <-ch:
		v, _ := r.Val.(string)
		return v, r.Err
	case <-ctx.Done():
		return "", fault.New(fault.Temporary, "waiting for an access token: %w", ctx.Err())
	}
}

// known returns what can be said without asking Amazon.
func (t *tokens) known() (string, error, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	switch {
	case t.value != "" && now.Before(t.renew):
		return t.value, nil, true
	case t.denied != nil && now.Before(t.retry):
		return "", t.denied, true
	}
	return "", nil, false
}

// drop forgets a token the API refused, and reports whether asking for another makes sense:
// it does not when the token is brand-new.
func (t *tokens) drop(value string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != value {
		return t.value != "" // somebody renewed it meanwhile
	}
	if t.clock().Sub(t.got) < denialKept {
		return false
	}
	t.value = ""
	return true
}

func (t *tokens) exchange(ctx context.Context) (string, error) {
	if v, err, ok := t.known(); ok {
		return v, err
	}
	ans, err := t.http.Do(ctx, httpx.Call{
		Op: "token", Method: http.MethodPost, URL: t.url, Body: []byte(t.form.Encode()), Repeat: true,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded;charset=UTF-8"}, "Accept": {"application/json"}},
	})
	if err != nil {
		return "", fault.Wrap(err, "asking for an access token")
	}
	value, life, err := readToken(ans)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	if err != nil {
		if fault.Is(err, fault.Denied) {
			t.denied, t.retry = err, now.Add(denialKept)
		}
		return "", err
	}
	t.value, t.got, t.denied = value, now, nil
	t.renew = now.Add(max(life-renewEarly, life/2))
	return value, nil
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func readToken(ans httpx.Answer) (string, time.Duration, error) {
	var body tokenAnswer
	bad := json.Unmarshal(ans.Body, &body)
	if ans.Status == http.StatusOK {
		if bad != nil || body.AccessToken == "" || body.ExpiresIn <= 0 {
			return "", 0, fault.New(fault.Temporary, "asking for an access token: the answer holds none")
		}
		return body.AccessToken, time.Duration(min(body.ExpiresIn, 86400)) * time.Second, nil
	}
	hint, stop := grantHints[body.Error]
	class := httpx.Classify(ans.Status, true)
	if stop {
		class = fault.Denied
	}
	e := fault.New(class, "asking for an access token: %d %s", ans.Status, clean(body.Error+" "+body.Description))
	e.Code, e.Hint, e.Ref = body.Error, hint, ans.Header.Get(requestID)
	return "", 0, e
}

// grantHints says what a person must do when a grant is refused for good.
var grantHints = map[string]string{
	"invalid_grant":       "The authorisation was withdrawn or has ended: authorise the application again in Seller Central and enter the new refresh token.",
	"invalid_client":      "Client id or client secret is wrong or has expired: issue a new secret in the developer console and enter it.",
	"unauthorized_client": "The application may not use this grant: check that client id, refresh token and region belong together.",
	"invalid_scope":       "The application may not use notifications: check its roles in the developer console.",
	"access_denied":       "The seller refused the application: authorise it again in Seller Central.",
}
