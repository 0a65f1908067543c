package shopify

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"channelbridge/shopadmin"
)

// privacyTopics are the demands of the law that the store passes on, with what they demand.
var privacyTopics = map[string]shopadmin.PrivacyKind{
	"customers/data_request": shopadmin.DataRequest,
	"customers/redact":       shopadmin.CustomerRedact,
	"shop/redact":            shopadmin.ShopRedact,
}

// ComplianceTopics are the topics of an app that have to be set in its configuration (TOML or
// dashboard): no API call subscribes to them. Apps in the store's directory must take them.
func ComplianceTopics() []string {
	return []string{"customers/data_request", "customers/redact", "shop/redact"}
}

// privacyDays is how long the store gives to act on a demand.
const privacyDays = 30

// demand reads a demand about personal data. Of the body only the orders' ids and the request's
// number are taken: the customer's address and phone number in it go nowhere.
func demand(now time.Time, hint shopadmin.Hint, kind shopadmin.PrivacyKind, body []byte) (shopadmin.Hint, error) {
	whole, err := object(body)
	if err != nil {
		return shopadmin.Hint{}, malformed(hint.Topic, err)
	}
	asked := hint.TriggeredAt
	if asked.IsZero() {
		asked = now.UTC()
	}
	p := &shopadmin.Privacy{Kind: kind, Due: asked.AddDate(0, 0, privacyDays)}
	switch kind {
	case shopadmin.DataRequest:
		p.Ref = number(whole.Get("data_request.id"))
		p.Orders, err = orderIDs(whole.Get("orders_requested"))
	case shopadmin.CustomerRedact:
		p.Orders, err = orderIDs(whole.Get("orders_to_redact"))
	}
	if err != nil {
		return shopadmin.Hint{}, malformed(hint.Topic, err)
	}
	hint.Privacy = p
	return hint, nil
}

// orderIDs reads a list of order ids; none is an empty one. One unreadable id spoils the demand:
// an order left out in silence would keep its data.
func orderIDs(v gjson.Result) ([]shopadmin.OrderID, error) {
	if v.Type == gjson.Null {
		return nil, nil
	}
	if !v.IsArray() {
		return nil, errors.New("its orders are not a list")
	}
	var ids []shopadmin.OrderID
	for _, e := range v.Array() {
		id, err := orderID(e)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// number is an id as text, which may have been given as a number or a text.
func number(v gjson.Result) string {
	if v.Type == gjson.Number {
		return v.Raw
	}
	return clip(v.Str, 60)
}

func malformed(topic string, err error) error {
	return fmt.Errorf("shopify push %s: %w: %w", clip(topic, 80), err, shopadmin.ErrMalformed)
}
