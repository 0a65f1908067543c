package shopify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
)

const testSecret = "hush-this-is-the-client-secret"

var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func receiver(t testing.TB, tune ...func(*Config)) *Admin {
	t.Helper()
	cfg := Config{Shop: "acme.myshopify.com", ClientID: "id", ClientSecret: secret.New(testSecret)}
	for _, f := range tune {
		f(&cfg)
	}
	a, err := New(cfg)
	require.NoError(t, err)
	return a
}

func signedPush(topic string, body []byte, key string) shopadmin.Inbound {
	h := hmac.New(sha256.New, []byte(key))
	h.Write(body)
	header := http.Header{}
	for k, v := range map[string]string{"Hmac-Sha256": base64.StdEncoding.EncodeToString(h.Sum(nil)), "Topic": topic,
		"Shop-Domain": "acme.myshopify.com", "API-Version": "2026-10", "Webhook-Id": "w-1", "Event-Id": "e-1",
		"Triggered-At": "2026-11-21T11:59:59.123456789Z"} {
		header.Set("X-Shopify-"+k, v)
	}
	return shopadmin.Inbound{Header: header, Body: body}
}

func TestOfficialSignatureVectors(t *testing.T) {
	raw, err := os.ReadFile(official(t, "vectors", "signatures.json"))
	require.NoError(t, err)
	var file struct {
		Secret   string
		Previous string `json:"previous_secret"`
		Webhooks []struct {
			Name, Reason string
			Body         []byte `json:"body_base64"`
			Headers      map[string]string
			Valid        bool
		}
	}
	require.NoError(t, json.Unmarshal(raw, &file))
	require.Len(t, file.Webhooks, 16)
	reasons := map[string]error{"invalid_hmac": shopadmin.ErrSignature, "missing_hmac": shopadmin.ErrMissing,
		"missing_body": shopadmin.ErrMissing, "missing_headers": shopadmin.ErrMissing}
	current := receiver(t, func(c *Config) { c.ClientSecret = secret.New(file.Secret) })
	rotating := receiver(t, func(c *Config) { c.ClientSecret, c.PreviousSecret = secret.New(file.Secret), secret.New(file.Previous) })
	for _, v := range file.Webhooks {
		t.Run(v.Name, func(t *testing.T) {
			in := shopadmin.Inbound{Header: http.Header{}, Body: v.Body}
			for k, s := range v.Headers {
				in.Header.Set(k, s)
			}
			_, err := current.Receive(testNow, in)
			if !v.Valid {
				require.ErrorIs(t, err, reasons[v.Reason])
			} else {
				require.NotErrorIs(t, err, shopadmin.ErrSignature)
				require.NotErrorIs(t, err, shopadmin.ErrMissing)
			}
			_, err = rotating.Receive(testNow, in)
			if v.Name == "signed with the previous secret" {
				require.NotErrorIs(t, err, shopadmin.ErrSignature)
			} else if v.Reason != "" {
				require.ErrorIs(t, err, reasons[v.Reason])
			}
		})
	}
}

// The pair of secret, body and signature given in Shopify's own tests.
func TestShopifysOwnVector(t *testing.T) {
	require.Equal(t, "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=",
		base64.StdEncoding.EncodeToString(sign(secret.New("test_secret_key"), []byte(`{"foo": "bar"}`))))
}

func TestPreviousSecretEnds(t *testing.T) {
	a := receiver(t, func(c *Config) {
		c.PreviousSecret, c.SecretExpires = secret.New("old"), testNow
	})
	in := signedPush("orders/create", []byte(`{"id":1}`), "old")
	_, err := a.Receive(testNow.Add(-time.Second), in)
	require.NoError(t, err)
	_, err = a.Receive(testNow, in)
	require.ErrorIs(t, err, shopadmin.ErrSignature)
}

func TestReceive(t *testing.T) {
	const big = "gid://shopify/Order/820982911946154508"
	due := time.Date(2026, 12, 21, 11, 59, 59, 123456789, time.UTC) // thirty days on
	for _, c := range []struct {
		name, topic, body string
		want              shopadmin.Hint
		err               error
	}{
		{"by global id", "orders/create", `{"id":820982911946154508,"admin_graphql_api_id":"` + big + `","updated_at":"2026-11-21T07:00:00-05:00"}`,
			shopadmin.Hint{Order: big, Heard: testNow}, nil},
		{"by number beyond float64", "orders/updated", `{"id":820982911946154509}`, shopadmin.Hint{Order: "gid://shopify/Order/820982911946154509"}, nil},
		{"with a mark", "orders/updated", `{"id":1,"source_identifier":"113-1","note_attributes":[{"name":"x","value":1},{"name":"channel","value":"amazon-us"}]}`,
			shopadmin.Hint{Order: "gid://shopify/Order/1", Mark: shopadmin.Mark{Channel: "amazon-us", Order: "113-1"}}, nil},
		{"half a mark", "orders/updated", `{"id":1,"source_identifier":"113-1","note_attributes":[]}`, shopadmin.Hint{Order: "gid://shopify/Order/1"}, nil},
		{"edited", "orders/edited", `{"order_edit":{"id":7,"order_id":820982911946154508}}`, shopadmin.Hint{Order: big}, nil},
		{"fulfillment", "fulfillments/update", `{"id":5,"admin_graphql_api_id":"gid://shopify/Fulfillment/5","order_id":820982911946154508,"updated_at":"2026-11-21T07:00:00-05:00"}`,
			shopadmin.Hint{Order: big, Urgent: true}, nil},
		{"refund", "refunds/create", `{"id":5,"order_id":820982911946154508}`, shopadmin.Hint{Order: big}, nil},
		{"transaction", "order_transactions/create", `{"id":5,"order_id":820982911946154508,"kind":"refund"}`, shopadmin.Hint{Order: big}, nil},
		{"transaction of nothing", "order_transactions/create", `{"id":5,"order_id":null}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"data request", "customers/data_request", `{"customer":{"email":"jane@example.com"},"orders_requested":[820982911946154508,"gid://shopify/Order/7",7],"data_request":{"id":9007199254740993}}`,
			shopadmin.Hint{Privacy: &shopadmin.Privacy{Kind: shopadmin.DataRequest, Orders: []shopadmin.OrderID{big, "gid://shopify/Order/7"}, Due: due, Ref: "9007199254740993"}}, nil},
		{"redact of nobody's orders", "customers/redact", `{"customer":{"id":1}}`,
			shopadmin.Hint{Privacy: &shopadmin.Privacy{Kind: shopadmin.CustomerRedact, Due: due}}, nil},
		{"redact, null", "customers/redact", `{"orders_to_redact":null}`,
			shopadmin.Hint{Privacy: &shopadmin.Privacy{Kind: shopadmin.CustomerRedact, Due: due}}, nil},
		{"redact the shop", "shop/redact", `{}`, shopadmin.Hint{Privacy: &shopadmin.Privacy{Kind: shopadmin.ShopRedact, Due: due}}, nil},
		{"redact, odd id", "customers/redact", `{"orders_to_redact":[1,"x"]}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"redact, no list", "customers/redact", `{"orders_to_redact":{"1":2}}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"redact, cut off", "shop/redact", `{"shop_id":`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"uninstalled", "app/uninstalled", `{"id":1}`, shopadmin.Hint{Lifecycle: shopadmin.Uninstalled}, nil},
		{"scopes", "app/scopes_update", `{"id":1}`, shopadmin.Hint{Lifecycle: shopadmin.ScopesChanged}, nil},
		{"another topic", "inventory_levels/update", `{"id":1}`, shopadmin.Hint{Ignore: "nothing here depends on this topic"}, nil},
		{"float id", "orders/create", `{"id":8.2e17}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"no id", "orders/create", `{}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"foreign id", "orders/create", `{"id":"gid://shopify/Refund/1"}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"negative id", "orders/create", `{"id":-1}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"too large an id", "orders/create", `{"id":99999999999999999999}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"cut off", "orders/create", `{"id":1`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"two values", "orders/create", `{"id":1}{"id":2}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"no object", "orders/create", `[1]`, shopadmin.Hint{}, shopadmin.ErrMalformed},
		{"fulfillment of no order", "fulfillments/create", `{"id":1,"order_id":null}`, shopadmin.Hint{}, shopadmin.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := receiver(t).Receive(testNow, signedPush(c.topic, []byte(c.body), testSecret))
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				return
			}
			require.NoError(t, err)
			c.want.DeliveryID, c.want.EventID, c.want.Topic = "w-1", "e-1", c.topic
			c.want.TriggeredAt = time.Date(2026, 11, 21, 11, 59, 59, 123456789, time.UTC)
			require.Equal(t, c.want, got)
		})
	}
}

// A demand that is not signed is nobody's demand, and no topic of it can be subscribed to.
func TestComplianceTopics(t *testing.T) {
	for _, topic := range ComplianceTopics() {
		require.Contains(t, privacyTopics, topic)
		_, err := receiver(t).Receive(testNow, signedPush(topic, []byte(`{}`), "another secret"))
		require.ErrorIs(t, err, shopadmin.ErrSignature)
		in := signedPush(topic, []byte(`{}`), testSecret)
		in.Header.Del("X-Shopify-Triggered-At")
		hint, err := receiver(t).Receive(testNow, in)
		require.NoError(t, err)
		require.Equal(t, testNow.AddDate(0, 0, 30), hint.Privacy.Due, "counted from now when the push does not say since when")
	}
	require.Len(t, privacyTopics, len(ComplianceTopics()))
	values := officialSchema(t).Types["WebhookSubscriptionTopic"].EnumValues
	require.Nil(t, values.ForName("CUSTOMERS_REDACT"))
	require.Nil(t, values.ForName("SHOP_REDACT"))
}

func TestPushesForAnotherShop(t *testing.T) {
	in := signedPush("orders/create", []byte(`{"id":1}`), testSecret)
	in.Header.Set("X-Shopify-Shop-Domain", "other.myshopify.com")
	_, err := receiver(t).Receive(testNow, in)
	require.ErrorIs(t, err, shopadmin.ErrMalformed)
	require.ErrorContains(t, err, "other.myshopify.com")
}

// Every published sample and every real delivery's shape is taken or ignored, and those about
// orders name the order.
func TestOfficialWebhookSamples(t *testing.T) {
	folders := []string{official(t, "webhooks-2026-07"), official(t, "observed")}
	hints := map[string]shopadmin.Hint{}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.json"))
		require.NoError(t, err)
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			if name == "_index" {
				continue
			}
			topic := strings.ReplaceAll(name, "__", "/")
			if parts := strings.Split(name, "__"); len(parts) == 3 { // version__resource__number
				topic = map[string]string{"orders": "orders/updated", "refunds": "refunds/create", "fulfillments": "fulfillments/update"}[parts[1]]
				if topic == "" {
					topic = parts[1] + "/create"
				}
			}
			t.Run(name, func(t *testing.T) {
				body, err := os.ReadFile(file)
				require.NoError(t, err)
				if bytes.Contains(body, []byte(`"order_edit"`)) {
					topic = "orders/edited"
				}
				hint, err := receiver(t).Receive(testNow, signedPush(topic, body, testSecret))
				require.NoError(t, err)
				hints[name] = hint
				about := 0
				for _, set := range []bool{hint.Order != "", hint.Lifecycle != "", hint.Ignore != "", hint.Privacy != nil} {
					if set {
						about++
					}
				}
				require.Equal(t, 1, about, "%+v", hint)
				if strings.HasPrefix(topic, "orders/") || strings.HasPrefix(topic, "fulfillments/") || topic == "refunds/create" || topic == "order_transactions/create" {
					require.Regexp(t, `^gid://shopify/Order/\d+$`, hint.Order)
				}
			})
		}
	}
	const order = "gid://shopify/Order/820982911946154508"
	for _, name := range []string{"orders__create", "orders__updated", "orders__cancelled", "orders__edited", "refunds__create", "order_transactions__create", "fulfillments__create"} {
		require.EqualValues(t, order, hints[name].Order, name)
	}
	require.Equal(t, shopadmin.Uninstalled, hints["app__uninstalled"].Lifecycle)
	three := []shopadmin.OrderID{"gid://shopify/Order/299938", "gid://shopify/Order/280263", "gid://shopify/Order/220458"}
	due := time.Date(2026, 12, 21, 11, 59, 59, 123456789, time.UTC)
	require.Equal(t, &shopadmin.Privacy{Kind: shopadmin.DataRequest, Orders: three, Due: due, Ref: "9999"}, hints["customers__data_request"].Privacy)
	require.Equal(t, &shopadmin.Privacy{Kind: shopadmin.CustomerRedact, Orders: three, Due: due}, hints["customers__redact"].Privacy)
	require.Equal(t, &shopadmin.Privacy{Kind: shopadmin.ShopRedact, Due: due}, hints["shop__redact"].Privacy)
	require.Greater(t, len(hints), 60)
}

func FuzzReceive(f *testing.F) {
	f.Add("orders/create", []byte(`{"id":820982911946154508,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508"}`), "x")
	f.Add("orders/edited", []byte(`{"order_edit":{"order_id":"1"}}`), "")
	f.Add("fulfillments/update", []byte(`{"order_id":9223372036854775808}`), "AAAA")
	f.Add("app/uninstalled", []byte(`null`), "====")
	f.Add("refunds/create", []byte(`{"id":890088186047892319,"order_id":820982911946154508,"refund_line_items":[{"subtotal":89.99}]}`), "")
	f.Add("order_transactions/create", []byte(`{"order_id":1,"total_unsettled_set":{"shop_money":{"currency":"XXX"}}}`), "")
	f.Add("customers/data_request", []byte(`{"orders_requested":[299938,280263],"data_request":{"id":9999}}`), "")
	f.Add("customers/redact", []byte(`{"customer":{"email":"a@example.com"},"orders_to_redact":["gid://shopify/Order/1"]}`), "")
	f.Add("shop/redact", []byte(`{"shop_id":954889}`), "")
	f.Add("orders/updated", []byte(`{"id":1,"source_identifier":"a","note_attributes":[{"name":"channel","value":{}}]}`), "")
	a := receiver(f)
	f.Fuzz(func(t *testing.T, topic string, body []byte, signature string) {
		in := signedPush(topic, body, testSecret)
		hint, err := a.Receive(testNow, in)
		if err == nil && hint.Order == "" && hint.Lifecycle == "" && hint.Ignore == "" && hint.Privacy == nil {
			t.Fatalf("an accepted push about nothing: %q %q", topic, body)
		}
		if err == nil && hint.Order != "" {
			if _, bad := globalID(string(hint.Order)); bad != nil {
				t.Fatal(bad)
			}
		}
		if err == nil && hint.Privacy != nil {
			for _, id := range hint.Privacy.Orders {
				if _, bad := globalID(string(id)); bad != nil {
					t.Fatal(bad)
				}
			}
			if hint.Privacy.Due.Before(testNow) {
				t.Fatal("a demand that is due before it came")
			}
		}
		if signature == in.Header.Get("X-Shopify-Hmac-Sha256") {
			return
		}
		in.Header.Set("X-Shopify-Hmac-Sha256", signature)
		if _, err := a.Receive(testNow, in); err == nil {
			t.Fatal("a wrong signature passed")
		}
	})
}
