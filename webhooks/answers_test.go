package webhooks_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
	"channelbridge/webhooks"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	good := order("A-1")
	deep := []byte(strings.Repeat("[", 10000) + strings.Repeat("]", 10000))
	without := func(name string) http.Header {
		h := signed(t, "m1", noon, good)
		h.Del(name)
		return h
	}
	mark := []byte(`{"Order":"gid://shopify/Order/1"}`)
	for _, c := range []struct {
		name    string
		to      connector.ConnectionID
		header  http.Header
		body    []byte
		status  int
		verdict connector.Verdict // "": nothing kept
		code    string            // in the answer
	}{
		{"a genuine push is accepted", channel, signed(t, "m1", noon, good), good, 200, connector.Accepted, ""},
		{"a genuine push of a store is accepted", shop, fromShop("d1", "orders/updated", mark), mark, 200, connector.Accepted, ""},
		{"a wrong signature", channel, signed(t, "m1", noon, order("A-2")), good, 401, connector.Rejected, "signature"},
		{"a wrong signature of a store", shop, fromShop("d1", "orders/updated", good), mark, 401, connector.Rejected, "signature"},
		{"no id", channel, without("Webhook-Id"), good, 400, connector.Rejected, "missing_header"},
		{"no signature", channel, without("Webhook-Signature"), good, 400, connector.Rejected, "missing_header"},
		{"no signature of a store", shop, http.Header{}, mark, 400, connector.Rejected, "missing_header"},
		{"too old", channel, signed(t, "m1", noon.Add(-6*time.Minute), good), good, 401, connector.Rejected, "stale"},
		{"from the future", channel, signed(t, "m1", noon.Add(6*time.Minute), good), good, 401, connector.Rejected, "stale"},
		{"authentic, not JSON", channel, signed(t, "m1", noon, []byte("{")), []byte("{"), 200, connector.Quarantined, ""},
		{"authentic, not UTF-8", channel, signed(t, "m1", noon, []byte("{\"id\":\"\xff\xfe\"}")), []byte("{\"id\":\"\xff\xfe\"}"), 200, connector.Quarantined, ""},
		{"authentic, a store's rubbish", shop, fromShop("d1", "orders/updated", []byte("[")), []byte("["), 200, connector.Quarantined, ""},
		{"authentic and 10,000 deep", channel, signed(t, "m1", noon, deep), deep, 200, connector.Quarantined, ""},
		{"forged and 10,000 deep", channel, signed(t, "m1", noon, good), deep, 401, connector.Rejected, "signature"},
		{"deep, and nobody can tell whether it is authentic", shop, fromShop("d1", "x", deep), deep, 400, connector.Rejected, "too_deep"},
		{"not JSON before verification", channel, http.Header{}, []byte("\x00\xff\xfe"), 400, connector.Rejected, "missing_header"},
		{"an empty body", channel, http.Header{}, nil, 400, connector.Rejected, "missing_header"},
		{"too large", channel, http.Header{}, make([]byte, 3<<20), 413, connector.Rejected, "too_large"},
		{"too many headers", channel, http.Header{"X-Long": {strings.Repeat("x", 33<<10)}}, good, 431, connector.Rejected, "header_too_large"},
		{"a connection nobody knows", "no-such", signed(t, "m1", noon, good), good, 404, "", "unknown_connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			w := r.send(c.to, c.header, c.body)
			require.Equal(t, c.status, w.Code, w.Body)
			if c.code != "" {
				var p struct{ Code string }
				require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
				require.Equal(t, c.code, p.Code)
			} else {
				require.Empty(t, w.Body.String())
			}
			rows, refused := r.box.all(), r.box.refused()
			switch c.verdict {
			case connector.Rejected:
				require.Empty(t, rows)
				require.Len(t, refused, 1)
				require.True(t, strings.HasPrefix(refused[0].Reason, c.code+": "), refused[0].Reason)
				require.NotEqual(t, "m1", refused[0].ID, "a refused push never takes a delivery id")
			case "":
				require.Empty(t, append(rows, refused...))
			default:
				require.Empty(t, refused)
				require.Len(t, rows, 1)
				require.Equal(t, c.verdict, rows[0].Verdict)
				require.Equal(t, string(c.body), string(rows[0].Body), "the raw bytes are kept")
			}
			require.EqualValues(t, map[bool]int{true: 1}[c.verdict == connector.Accepted], r.nudges.Load())
			n, err := testutil.GatherAndCount(r.reg, "channelbridge_deliveries_total")
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
	}
}

func TestOnlyWhatIsNeededToReadAgainIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := []byte(`{"Order":"1"}`)
	require.Equal(t, 200, r.send(shop, fromShop("d1", "orders/updated", body), body).Code)
	d := r.box.all()[0]
	require.Equal(t, "orders/updated", d.Topic)
	require.Contains(t, d.Header, "X-Shopify-Hmac-Sha256")
	for name, values := range d.Header {
		require.NotContains(t, values, "hush", name)
	}
}

func TestARepetitionIsADuplicateAndStill200(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := order("A-1")
	for range 3 {
		require.Equal(t, 200, r.send(channel, signed(t, "m1", noon, body), body).Code)
	}
	require.Len(t, r.box.all(), 1)
	require.Equal(t, 2, r.box.repeats)
	require.EqualValues(t, 1, r.nudges.Load(), "a repetition is not news")
}

func TestOtherMethodsAndPaths(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, want := range map[string]int{"/webhooks/chan-1": 405, "/": 404, "/webhooks": 404} {
		w := httptest.NewRecorder()
		r.srv.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		require.Equal(t, want, w.Code, path)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
	body := order("A-1")
	req := httptest.NewRequest(http.MethodPost, "/webhooks/chan-1/orders/compliance", strings.NewReader(string(body)))
	req.Header = signed(t, "m1", noon, body)
	w := httptest.NewRecorder()
	r.srv.Handler().ServeHTTP(w, req)
	require.Equal(t, 200, w.Code, "anything below a connection is the connection's")
}

func TestANameNobodyKnowsIsNotEchoed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.send("%0aevil%20"+connector.ConnectionID(strings.Repeat("A", 500)), nil, nil)
	require.Equal(t, 404, w.Code)
	require.NotContains(t, w.Body.String(), "evil")
	require.NotContains(t, r.log.String(), strings.Repeat("A", 65))
	require.NotContains(t, r.log.String(), "\nevil")
}

func TestAPanickingReceiverIsA500AndTheNextOneWorks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.srv.Put(webhooks.Source{Connection: "bad", Role: connector.RoleChannel,
		Channel: scripted(func(time.Time, marketplace.Inbound) ([]marketplace.Hint, error) { panic("inner detail") })}))
	w := r.send("bad", nil, []byte("{}"))
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "inner")
	require.Contains(t, r.log.String(), "inner detail")
	require.Equal(t, 200, r.send(channel, signed(t, "m1", noon, order("A")), order("A")).Code)
}

func TestABrokenInboxIs503AndTheRetryWorks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.box.broken = func(connector.Delivery) error { return errors.New("disk full, user postgres") }
	body := order("A-1")
	w := r.send(channel, signed(t, "m1", noon, body), body)
	require.Equal(t, 503, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), "postgres")
	require.Zero(t, r.nudges.Load())
	r.box.broken = nil
	require.Equal(t, 200, r.send(channel, signed(t, "m1", noon, body), body).Code)
	require.Len(t, r.box.all(), 1)
}

func TestASlowInboxIs503InTime(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *webhooks.Config) { c.Limits.RecordTimeout = 20 * time.Millisecond })
	r.box.slow = time.Minute
	body := order("A-1")
	require.Equal(t, 503, r.send(channel, signed(t, "m1", noon, body), body).Code)
}

func TestSourcesAreReplacedWhileRunning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := order("A-1")
	r.srv.Remove(channel)
	require.Equal(t, 404, r.send(channel, signed(t, "m1", noon, body), body).Code)
	require.Error(t, r.srv.SetSources(map[connector.ConnectionID]webhooks.Source{"x": {Role: connector.RoleStore}}))
	require.NoError(t, r.srv.SetSources(map[connector.ConnectionID]webhooks.Source{channel: {Role: connector.RoleStore, Store: store{}}}))
	require.Equal(t, 400, r.send(channel, signed(t, "m1", noon, body), body).Code, "another receiver, another answer")
	require.Equal(t, 404, r.send(shop, nil, nil).Code)
}

func TestLifecyclePushes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := []byte(`{"Lifecycle":"uninstalled"}`)
	h := fromShop("d1", "app/uninstalled", body)
	require.Equal(t, 200, r.send(shop, h, body).Code)
	require.Equal(t, 200, r.send(shop, h, body).Code)
	require.Len(t, r.lived, 1, "a late repetition must not act again")
	require.Equal(t, shopadmin.Uninstalled, r.lived[0].Lifecycle)
	require.Empty(t, r.box.all()[0].Touch)
}
