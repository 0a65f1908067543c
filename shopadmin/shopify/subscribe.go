package shopify

import (
	"context"
	"fmt"
	"net/url"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// topics are the pushes the bridge wants. A refund's money may move later than the refund was
// recorded; ORDER_TRANSACTIONS_CREATE tells of it.
var topics = []string{"ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_EDITED",
	"FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE", "REFUNDS_CREATE", "ORDER_TRANSACTIONS_CREATE", "APP_UNINSTALLED"}

type subscriptionNode struct {
	ID            string   `json:"id"`
	Topic         string   `json:"topic"`
	URI           string   `json:"uri"`
	Filter        string   `json:"filter"`
	IncludeFields []string `json:"includeFields"`
	Format        string   `json:"format"`
}

// plain reports a subscription that leaves nothing out of its pushes.
func (s subscriptionNode) plain() bool {
	return s.Filter == "" && len(s.IncludeFields) == 0 && s.Format == "JSON"
}

// Subscriptions compares the wanted pushes with those the store keeps for this app. With repair
// it makes missing ones, and replaces those that point elsewhere or are trimmed. Shopify removes
// a subscription after eight failed deliveries in a row, so this is worth asking daily.
func (a *Admin) Subscriptions(ctx context.Context, callback string, repair bool) ([]shopadmin.Subscription, error) {
	if u, err := url.Parse(callback); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fault.New(fault.Refused, "shopify: the callback is not an http address")
	}
	have, err := a.subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	var states []shopadmin.Subscription
	for _, topic := range topics {
		s, stale := compare(topic, callback, have)
		if repair && s.State != "ok" {
			if err := a.mend(ctx, &s, stale); err != nil {
				return states, fault.Wrap(err, "subscribing to %s", topic)
			}
		}
		states = append(states, s)
	}
	return states, nil
}

// compare finds the state of one topic and which of our subscriptions are in the way.
func compare(topic, callback string, have []subscriptionNode) (s shopadmin.Subscription, stale []string) {
	s = shopadmin.Subscription{Topic: topic, Target: callback, State: "missing"}
	for _, h := range have {
		switch {
		case h.Topic != topic:
		case h.URI == callback && h.plain():
			s.State, s.Details = "ok", ""
			return s, nil
		case h.URI == callback:
			s.State, s.Details = "different", "it filters, trims or reformats the pushes"
			stale = append(stale, h.ID)
		default:
			s.State, s.Details = "different", fmt.Sprintf("it points to %s", shown(h.URI))
			stale = append(stale, h.ID)
		}
	}
	return s, stale
}

// shown is an address without what may be secret in it.
func shown(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return "an address of another kind"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// mend replaces the stale subscriptions by the wanted one. A trimmed twin at the same address
// blocks its replacement, so stale ones go first; sweeps find what falls into the gap.
func (a *Admin) mend(ctx context.Context, s *shopadmin.Subscription, stale []string) error {
	var out struct {
		Payload *struct{ UserErrors []userError } `json:"webhookSubscriptionCreate"`
	}
	for _, id := range stale {
		if err := a.unsubscribe(ctx, id); err != nil {
			return err
		}
	}
	vars := map[string]any{"topic": s.Topic, "sub": subscriptionInput{URI: s.Target, Format: "JSON"}}
	if err := a.client.do(ctx, docSubscribe, vars, &out); err != nil {
		return err
	}
	if out.Payload == nil {
		return empty(docSubscribe)
	}
	if err := userErrors(docSubscribe.name, out.Payload.UserErrors); err != nil {
		return err
	}
	s.State = "created"
	if len(stale) > 0 {
		s.State = "repaired"
	}
	return nil
}

func (a *Admin) unsubscribe(ctx context.Context, id string) error {
	var out struct {
		Payload *struct{ UserErrors []userError } `json:"webhookSubscriptionDelete"`
	}
	if err := a.client.do(ctx, docUnsubscribe, map[string]any{"id": id}, &out); err != nil {
		return err
	}
	if out.Payload == nil {
		return empty(docUnsubscribe)
	}
	return userErrors(docUnsubscribe.name, out.Payload.UserErrors)
}

func (a *Admin) subscriptions(ctx context.Context) ([]subscriptionNode, error) {
	fetch := func(after string) (connection[subscriptionNode], error) {
		vars := map[string]any{}
		if after != "" {
			vars["after"] = after
		}
		var out struct {
			WebhookSubscriptions connection[subscriptionNode]
		}
		err := a.client.do(ctx, docSubscriptions, vars, &out)
		return out.WebhookSubscriptions, err
	}
	first, err := fetch("")
	if err != nil {
		return nil, err
	}
	return walk(first, fetch)
}
