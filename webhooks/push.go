package webhooks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"channelbridge/connector"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// push is one request, or one message of a queue, on its way into the inbox.
type push struct {
	src    Source
	at     time.Time // when it came
	latest time.Time // a change later than this is a wrong clock
	header http.Header
	body   []byte
	size   int
}

// kept is a delivery to be recorded, with what only the door acts on.
type kept struct {
	connector.Delivery
	life *shopadmin.Hint // a store's push about the connection itself, or about personal data
}

func newPush(src Source, at time.Time) push {
	return push{src: src, at: at, latest: at.Add(maxFuture)}
}

// delivery fills in what all deliveries of the push share. body nil means the whole.
func (p push) delivery(id, topic string, body []byte) connector.Delivery {
	if body == nil {
		body = p.body
	}
	topic = clean(topic, maxID)
	if id == "" {
		id = digest("body", []byte(topic), body)
	}
	return connector.Delivery{
		Connection: p.src.Connection,
		ID:         identity(id),
		Topic:      topic,
		ReceivedAt: p.at,
		Verdict:    connector.Accepted,
		Header:     keptHeader(p.header),
		Body:       body,
		Size:       len(body),
	}
}

// quarantined is the whole push, authentic but not understood. Its id follows from its content,
// so that it never takes the place of a delivery id.
func (p push) quarantined(reason string) kept {
	topic := topicOf(p.header)
	d := p.delivery(digest("quarantine", []byte(topic), p.body), topic, nil)
	d.Verdict, d.Reason = connector.Quarantined, clean(reason, maxReason)
	return kept{Delivery: d}
}

// ofStore turns a store's hint into its delivery.
func (p push) ofStore(h shopadmin.Hint) []kept {
	k := kept{Delivery: p.delivery(h.DeliveryID, h.Topic, nil)}
	k.EventID = identity(h.EventID)
	if h.Lifecycle != "" || h.Privacy != nil {
		k.life = &h
	}
	switch {
	case h.Ignore != "":
		k.Reason = clean(h.Ignore, maxReason)
	case h.Privacy != nil:
		k.Reason = clean("about personal data: "+string(h.Privacy.Kind), maxReason)
	case h.Lifecycle != "":
		k.Reason = clean("about the connection: "+string(h.Lifecycle), maxReason)
	case h.Order == "" && !h.Mark.Set():
		k.Reason = "names no order"
	default:
		k.touchShop(p, h)
	}
	return []kept{k}
}

func (k *kept) touchShop(p push, h shopadmin.Hint) {
	if !usable(string(h.Order)) || !usable(h.Mark.Order) || !usable(h.Mark.Channel) {
		k.quarantine("order id that cannot be used")
		return
	}
	t := connector.Touch{Side: connector.Shop, Heard: heard(h.Heard, p.latest), Urgent: h.Urgent}
	if h.Urgent {
		t.Heard = time.Time{} // a store's update times may have whole seconds: look whatever they say
	}
	if h.Order != "" {
		t.Shop = connector.ShopRef{Store: p.src.Connection, ID: string(h.Order)}
	}
	if h.Mark.Set() {
		t.Subject = connector.Subject{Kind: connector.KindOrder,
			Channel: connector.ConnectionID(h.Mark.Channel), ID: h.Mark.Order}
	}
	k.Touch = []connector.Touch{t}
}

// ofChannel turns a channel's hints into deliveries: one per delivery id, because a second row
// of the same id would be taken for a repetition and its orders would be forgotten.
func (p push) ofChannel(hints []marketplace.Hint) []kept {
	if len(hints) == 0 {
		hints = []marketplace.Hint{{Topic: topicOf(p.header), Ignore: "carries nothing"}}
	}
	var all []kept
	at := map[string]int{}
	for _, h := range hints {
		k := kept{Delivery: p.delivery(h.DeliveryID, h.Topic, h.Body)}
		k.readMarket(p, h)
		i, again := at[k.ID]
		if !again {
			at[k.ID] = len(all)
			all = append(all, k)
			continue
		}
		all[i].merge(p, k)
	}
	return all
}

// readMarket turns one hint of a channel into what is to be looked at.
func (k *kept) readMarket(p push, h marketplace.Hint) {
	switch {
	case h.Ignore != "":
		k.Reason = clean(h.Ignore, maxReason)
		return
	case h.Lane != "" && usable(h.Lane):
		k.Reason = "about a batch"
		k.Touch = []connector.Touch{{Subject: connector.Subject{Kind: connector.KindLane, Channel: p.src.Connection, ID: h.Lane}, Side: connector.Market}}
		return
	case h.Order == "":
		k.Reason = "names no order"
		return
	case !usable(string(h.Order)):
		k.quarantine("order id that cannot be used")
		return
	}
	subject := connector.Subject{Kind: connector.KindOrder, Channel: p.src.Connection, ID: string(h.Order)}
	t := connector.Touch{Subject: subject, Side: connector.Market, Heard: heard(h.Heard, p.latest)}
	if h.Money {
		t.Side = connector.Money
	}
	if h.Observed != nil {
		o, err := p.observation(subject, *h.Observed)
		if err != nil {
			k.quarantine(err.Error())
			return
		}
		k.Observed = []connector.Observation{o}
		if h.Heard.IsZero() {
			t.Heard = o.Version // the push brought the news itself: no other look is needed
		}
	}
	k.Touch = []connector.Touch{t}
}

// observation makes a snapshot of an order that a push carried whole. A version in the future
// would hide every later change, so it is not taken.
func (p push) observation(s connector.Subject, o marketplace.Order) (connector.Observation, error) {
	switch {
	case string(o.ID) != s.ID:
		return connector.Observation{}, fmt.Errorf("the order carried is not the one named")
	case o.UpdatedAt.IsZero():
		return connector.Observation{}, fmt.Errorf("the order carried has no time of change")
	case o.UpdatedAt.After(p.latest):
		return connector.Observation{}, fmt.Errorf("the order carried was changed in the future")
	}
	blob, err := json.Marshal(o)
	if err != nil {
		return connector.Observation{}, fmt.Errorf("the order carried cannot be kept: %w", err)
	}
	return connector.Observation{Subject: s, Side: connector.Market,
		Snapshot: connector.Snapshot{Version: o.UpdatedAt, ObservedAt: p.at, Body: blob}}, nil
}

// merge adds another hint of the same delivery id.
func (k *kept) merge(p push, o kept) {
	k.Touch = append(k.Touch, o.Touch...)
	k.Observed = append(k.Observed, o.Observed...)
	k.Body, k.Size = p.body, len(p.body)
	switch {
	case o.Verdict == connector.Quarantined:
		k.Verdict, k.Reason = o.Verdict, o.Reason
	case k.Verdict != connector.Quarantined && len(k.Touch) > 0:
		k.Reason = ""
	}
}

func (k *kept) quarantine(reason string) {
	k.Verdict, k.Reason = connector.Quarantined, clean(codeMalformed+": "+reason, maxReason)
}

// usable reports an id that can stand in a row; the empty one can.
func usable(id string) bool { return len(id) <= maxID && printable(id) }

// topicOf reads the topic of a push that could not be read itself.
func topicOf(h http.Header) string {
	for _, name := range []string{"X-Shopify-Topic", "Shopify-Topic"} {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	return "unread"
}
