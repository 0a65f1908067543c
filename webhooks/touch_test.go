package webhooks_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
	"channelbridge/webhooks"
)

// say makes a channel whose receiver gives these hints.
func (r *rig) say(hints ...marketplace.Hint) {
	require.NoError(r, r.srv.Put(webhooks.Source{Connection: "told", Role: connector.RoleChannel,
		Channel: scripted(func(time.Time, marketplace.Inbound) ([]marketplace.Hint, error) { return hints, nil })}))
}

func subject(id string) connector.Subject {
	return connector.Subject{Kind: connector.KindOrder, Channel: "told", ID: id}
}

func TestHintsOfAChannel(t *testing.T) {
	t.Parallel()
	earlier := noon.Add(-time.Minute)
	observed := &marketplace.Order{ID: "A", UpdatedAt: earlier}
	for _, c := range []struct {
		name    string
		hint    marketplace.Hint
		verdict connector.Verdict
		touch   []connector.Touch
		reason  string
	}{
		{"names an order and a time", marketplace.Hint{DeliveryID: "1", Order: "A", Heard: earlier}, connector.Accepted,
			[]connector.Touch{{Subject: subject("A"), Side: connector.Market, Heard: earlier}}, ""},
		{"gives no time: look afresh", marketplace.Hint{DeliveryID: "1", Order: "A"}, connector.Accepted,
			[]connector.Touch{{Subject: subject("A"), Side: connector.Market}}, ""},
		{"gives an impossible time: look afresh", marketplace.Hint{DeliveryID: "1", Order: "A", Heard: noon.AddDate(50, 0, 0)}, connector.Accepted,
			[]connector.Touch{{Subject: subject("A"), Side: connector.Market}}, ""},
		{"carries the order: no other look", marketplace.Hint{DeliveryID: "1", Order: "A", Observed: observed}, connector.Accepted,
			[]connector.Touch{{Subject: subject("A"), Side: connector.Market, Heard: earlier}}, ""},
		{"carries another order", marketplace.Hint{DeliveryID: "1", Order: "B", Observed: observed}, connector.Quarantined, nil, "not the one named"},
		{"carries an order from the future", marketplace.Hint{DeliveryID: "1", Order: "A",
			Observed: &marketplace.Order{ID: "A", UpdatedAt: noon.Add(time.Hour)}}, connector.Quarantined, nil, "future"},
		{"carries an order without time", marketplace.Hint{DeliveryID: "1", Order: "A", Observed: &marketplace.Order{ID: "A"}}, connector.Quarantined, nil, "no time"},
		{"concerns nothing here", marketplace.Hint{DeliveryID: "1", Order: "A", Ignore: "another seller"}, connector.Accepted, nil, "another seller"},
		{"names nothing", marketplace.Hint{DeliveryID: "1"}, connector.Accepted, nil, "names no order"},
		{"names what no row can hold", marketplace.Hint{DeliveryID: "1", Order: "A\x00"}, connector.Quarantined, nil, "order id"},
		{"names something endless", marketplace.Hint{DeliveryID: "1", Order: marketplace.OrderID(strings.Repeat("A", 500))}, connector.Quarantined, nil, "order id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.say(c.hint)
			require.Equal(t, 200, r.send("told", nil, []byte("{}")).Code)
			d := r.box.all()[0]
			require.Equal(t, c.verdict, d.Verdict)
			require.Equal(t, c.touch, d.Touch)
			require.Contains(t, d.Reason, c.reason)
			if c.hint.Observed == nil || c.verdict != connector.Accepted {
				require.Empty(t, d.Observed)
				return
			}
			require.Len(t, d.Observed, 1)
			require.Equal(t, c.hint.Observed.UpdatedAt, d.Observed[0].Version)
			require.Equal(t, noon, d.Observed[0].ObservedAt)
			var back marketplace.Order
			require.NoError(t, json.Unmarshal(d.Observed[0].Body, &back))
			require.Equal(t, *c.hint.Observed, back)
		})
	}
}

func TestOnePushWithManyHints(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.say(marketplace.Hint{DeliveryID: "1", Order: "A", Body: []byte("a")},
		marketplace.Hint{DeliveryID: "2", Order: "B", Body: []byte("b")},
		marketplace.Hint{DeliveryID: "2", Order: "C", Body: []byte("c")},
		marketplace.Hint{Order: "D", Body: []byte("d")},
		marketplace.Hint{Order: "E", Body: []byte("e")})
	require.Equal(t, 200, r.send("told", nil, []byte("abcde")).Code)
	touched := map[string][]string{}
	for _, d := range r.box.all() {
		for _, x := range d.Touch {
			touched[string(d.Body)] = append(touched[string(d.Body)], x.Subject.ID)
		}
	}
	require.Equal(t, map[string][]string{"a": {"A"}, "abcde": {"B", "C"}, "d": {"D"}, "e": {"E"}}, touched,
		"two orders under one delivery id share a row, so that neither is taken for a repetition")
	require.EqualValues(t, 1, r.nudges.Load())
}

func TestAPushKeptInPartIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.say(marketplace.Hint{DeliveryID: "1", Order: "A"}, marketplace.Hint{DeliveryID: "2", Order: "B"})
	r.box.broken = func(d connector.Delivery) error {
		if d.ID == "2" {
			return connector.ErrLeaseLost
		}
		return nil
	}
	require.Equal(t, 503, r.send("told", nil, nil).Code)
	require.EqualValues(t, 1, r.nudges.Load(), "what was kept is worked on")
	r.box.broken = nil
	require.Equal(t, 200, r.send("told", nil, nil).Code)
	require.Len(t, r.box.all(), 2)
}

func TestHintsOfAStore(t *testing.T) {
	t.Parallel()
	at := noon.Add(-time.Second)
	ref := connector.ShopRef{Store: shop, ID: "gid://1"}
	for _, c := range []struct {
		name   string
		hint   shopadmin.Hint
		touch  []connector.Touch
		reason string
	}{
		{"an order", shopadmin.Hint{Order: "gid://1", Heard: at}, []connector.Touch{{Shop: ref, Side: connector.Shop, Heard: at}}, ""},
		{"a shipment leads", shopadmin.Hint{Order: "gid://1", Urgent: true}, []connector.Touch{{Shop: ref, Side: connector.Shop, Urgent: true}}, ""},
		{"the mark names the subject", shopadmin.Hint{Order: "gid://1", Mark: shopadmin.Mark{Channel: "told", Order: "A"}},
			[]connector.Touch{{Subject: subject("A"), Shop: ref, Side: connector.Shop}}, ""},
		{"half a mark names nothing", shopadmin.Hint{Order: "gid://1", Mark: shopadmin.Mark{Order: "A"}},
			[]connector.Touch{{Shop: ref, Side: connector.Shop}}, ""},
		{"not ours", shopadmin.Hint{Order: "gid://1", Ignore: "a topic nobody uses"}, nil, "a topic nobody uses"},
		{"nothing", shopadmin.Hint{}, nil, "names no order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			body, err := json.Marshal(c.hint)
			require.NoError(t, err)
			require.Equal(t, 200, r.send(shop, fromShop("d", "orders/updated", body), body).Code)
			d := r.box.all()[0]
			require.Equal(t, connector.Accepted, d.Verdict)
			require.Equal(t, c.touch, d.Touch)
			require.Equal(t, c.reason, d.Reason)
		})
	}
}

func TestIdsThatNoColumnCanHold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, id := range []string{"a\x00", "a\x01", strings.Repeat("x", 999) + "1", strings.Repeat("x", 999) + "2"} {
		r.say(marketplace.Hint{DeliveryID: id, Order: "A", Topic: "t\x00\xff"})
		require.Equal(t, 200, r.send("told", nil, nil).Code)
	}
	require.Len(t, r.box.all(), 4, "different ids stay different")
	for _, d := range r.box.all() {
		require.Less(t, len(d.ID), 201)
		require.NotContains(t, d.ID+d.Topic, "\x00")
	}
}
