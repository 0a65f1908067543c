package shopify

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/shopadmin"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"1Z 999":                         "1Z 999",
		" 1Z\r\n999\t":                   "1Z 999",
		"#☠1☢\n---------😀4321\u200d":     "#1 ---------4321",
		"DHL\u00a0Paket":                 "DHL Paket",
		"Österreichische Post – Größe ﬁ": "Österreichische Post – Größe ﬁ",
		"\ufeff\x00\u0007":               "",
		"顺丰速运 SF123":                     "顺丰速运 SF123",
		"bad\xffbyte":                    "badbyte",
		"❤️ heart":                       "heart",
	} {
		require.Equal(t, want, clean(in), "%q", in)
	}
}

func TestOfficialOddTrackingNumber(t *testing.T) {
	raw, err := os.ReadFile(official(t, "rest-2026-07", "fulfillment__cancelled_odd_tracking_number.json"))
	require.NoError(t, err)
	var body struct {
		Fulfillment struct {
			Number string `json:"tracking_number"`
		}
	}
	require.NoError(t, json.Unmarshal(raw, &body))
	require.NotEmpty(t, body.Fulfillment.Number)
	got := clean(body.Fulfillment.Number)
	require.NotContains(t, got, "\n")
	require.Equal(t, strings.TrimSpace(got), got)
	t.Logf("%q became %q", body.Fulfillment.Number, got)
}

func TestStatuses(t *testing.T) {
	for in, want := range map[string]shopadmin.FulfillmentStatus{"SUCCESS": shopadmin.FulfillmentSuccess, "CANCELLED": shopadmin.FulfillmentCancelled,
		"ERROR": shopadmin.FulfillmentFailed, "FAILURE": shopadmin.FulfillmentFailed, "PENDING": shopadmin.FulfillmentPending,
		"OPEN": shopadmin.FulfillmentPending, "": shopadmin.FulfillmentUnmapped, "TELEPORTED": shopadmin.FulfillmentUnmapped} {
		require.Equal(t, want, toStatus(in), in)
	}
	for _, v := range officialSchema(t).Types["FulfillmentStatus"].EnumValues {
		require.NotEqual(t, shopadmin.FulfillmentUnmapped, toStatus(v.Name), v.Name)
	}
}

func TestMarksSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := shopadmin.Mark{Channel: rapid.StringMatching(`[a-z:-]{1,12}`).Draw(t, "channel"), Order: rapid.StringMatching(`[0-9:-]{1,20}`).Draw(t, "order")}
		require.Equal(t, m, parseMark(m.String(), m.Order))
	})
	require.Equal(t, shopadmin.Mark{Channel: "a", Order: "b:c"}, parseMark("a:b:c", "something else"))
	require.False(t, parseMark("nonsense", "").Set())
	head := orderHead{SourceIdentifier: "113", CustomAttributes: []attribute{{"channel", "amazon-us"}}, Mark: &markField{"nonsense"}}
	require.Equal(t, shopadmin.Mark{Channel: "amazon-us", Order: "113"}, markOf(head), "the second way")
	require.False(t, markOf(orderHead{SourceIdentifier: "113"}).Set(), "half a mark is none")
}

func TestOrdersThatCannotBeUnderstood(t *testing.T) {
	good := orderNode{orderHead: orderHead{ID: "gid://shopify/Order/1", UpdatedAt: "2026-11-20T10:00:00Z"}, CreatedAt: "2026-11-20T10:00:00Z",
		TotalPriceSet: moneyBag{moneyInput{"12.50", "USD"}}}
	o, err := toOrder(good)
	require.NoError(t, err)
	require.EqualValues(t, 1250, o.Total.Minor)
	for name, spoil := range map[string]func(*orderNode){
		"no id":       func(n *orderNode) { n.ID = "" },
		"no instant":  func(n *orderNode) { n.UpdatedAt = "yesterday" },
		"odd cancel":  func(n *orderNode) { n.CancelledAt = "x" },
		"no currency": func(n *orderNode) { n.TotalPriceSet.ShopMoney.CurrencyCode = "" },
		"odd amount":  func(n *orderNode) { n.TotalPriceSet.ShopMoney.Amount = "1e3" },
		"no quantity": func(n *orderNode) {
			n.Fulfillments = []fulfillmentNode{{CreatedAt: n.CreatedAt, UpdatedAt: n.CreatedAt, LineItems: connection[fulfillmentLineNode]{Nodes: []fulfillmentLineNode{{}}}}}
		},
	} {
		n := good
		spoil(&n)
		_, err := toOrder(n)
		require.Error(t, err, name)
	}
}

func TestBudget(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	d := document{name: "x", cost: 100}
	var b budget
	cost, wait := b.take(d, now)
	require.Zero(t, wait, "an unknown bucket stops nobody")
	b.learn("x", cost, costInfo{Requested: 60, Status: throttleStatus{1000, 100, 50}}, now)
	_, wait = b.take(d, now)
	require.Zero(t, wait)
	_, wait = b.take(d, now)
	require.Equal(t, 400*time.Millisecond, wait, "60 wanted, 40 left, 50 a second")
	_, wait = b.take(d, now.Add(wait))
	require.Zero(t, wait)
	b.block(now.Add(time.Second), time.Minute)
	_, wait = b.take(d, now.Add(time.Second))
	require.Equal(t, time.Minute, wait)
	require.Equal(t, 15*time.Second, throttleWait(costInfo{Requested: 800, Status: throttleStatus{2000, 50, 50}}))
}
