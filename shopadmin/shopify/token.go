package shopify

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
	"channelbridge/internal/secret"
)

// renewEarly is how long before its end a token is replaced, at most a tenth of its life.
const renewEarly = 5 * time.Minute

// grantTimeout bounds one renewal; it belongs to no single caller.
const grantTimeout = 20 * time.Second

// tokens hands out the access token and renews it once for all who ask at the same time.
type tokens struct {
	cfg    Config
	http   *httpx.Client
	flight singleflight.Group

	mu     sync.Mutex
	token  secret.Text
	renew  time.Time
	proved bool // the store has accepted this token at least once
}

// get returns a token, asking the store for one when there is none or it ends soon.
func (t *tokens) get(ctx context.Context) (secret.Text, error) {
	if t.cfg.Token.Set() {
		return t.cfg.Token, nil
	}
	t.mu.Lock()
	token, renew := t.token, t.renew
	t.mu.Unlock()
	if token.Set() && t.cfg.Clock().Before(renew) {
		return token, nil
	}
	done := t.flight.DoChan("token", func() (any, error) {
		return t.grant(context.WithoutCancel(ctx))
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return secret.Text{}, r.Err
		}
		return r.Val.(secret.Text), nil
	case <-ctx.Done():
		return secret.Text{}, fault.New(fault.Temporary, "shopify: waiting for an access token: %w", context.Cause(ctx))
	}
}

// accepted notes that the store took the token.
func (t *tokens) accepted(token secret.Text) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.proved = true
	}
}

// refused forgets a token the store did not take, and reports whether asking for another one
// may help: not with a fixed token, and not when a brand-new one was refused.
func (t *tokens) refused(token secret.Text) bool {
	if t.cfg.Token.Set() {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != token {
		return true
	}
	again := t.proved
	t.token, t.proved = secret.Text{}, false
	return again
}

// grant asks for a token with the app's own credentials. Nothing is changed at the store, so
// the call may repeat.
func (t *tokens) grant(ctx context.Context) (secret.Text, error) {
	ctx, cancel := context.WithTimeout(ctx, grantTimeout)
	defer cancel()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.cfg.ClientID}, "client_secret": {t.cfg.ClientSecret.Reveal()}}
	ans, err := t.http.Do(ctx, httpx.Call{Op: "Token", Method: http.MethodPost, URL: t.cfg.BaseURL + "/admin/oauth/access_token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body:   []byte(form.Encode()), Repeat: true})
	if err != nil {
		return secret.Text{}, err
	}
	if ans.Status != http.StatusOK {
		return secret.Text{}, grantRefused(ans)
	}
	var body struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"` // seconds; absent for tokens that do not end
	}
	if json.Unmarshal(ans.Body, &body) != nil || body.Token == "" {
		return secret.Text{}, fault.New(fault.Temporary, "shopify: the token endpoint answered without a token")
	}
	life := time.Duration(body.Expires) * time.Second
	if life <= 0 {
		life = 24 * time.Hour
	}
	token := secret.New(body.Token)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.proved = token, false
	t.renew = t.cfg.Clock().Add(life - min(renewEarly, life/10))
	return token, nil
}

// grantRefused classifies a refusal. Its body is not quoted: it may repeat what was sent.
func grantRefused(ans httpx.Answer) error {
	var body struct {
		Code string `json:"error"`
	}
	_ = json.Unmarshal(ans.Body, &body) // the status says enough
	e := fault.New(fault.Temporary, "shopify: asking for an access token: HTTP %d", ans.Status)
	e.Ref, e.After = ans.Header.Get("X-Request-Id"), retryAfter(ans.Header)
	if ans.Status >= 400 && ans.Status < 500 && ans.Status != http.StatusTooManyRequests && ans.Status != http.StatusRequestTimeout {
		e.Class = fault.Denied
		e.Hint = "Check the app's client id and secret, and that the app is installed on a store of the same organisation."
		if known := grantCodes[body.Code]; known {
			e.Code = body.Code
		}
	}
	return e
}

// grantCodes are the refusals that may be shown; anything else could echo a secret.
var grantCodes = map[string]bool{"invalid_client": true, "invalid_grant": true, "invalid_request": true,
	"shop_not_permitted": true, "application_cannot_be_found": true, "unauthorized_client": true, "unsupported_grant_type": true}
