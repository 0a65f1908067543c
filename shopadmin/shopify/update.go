package shopify

import (
	"context"
	"maps"
	"slices"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

// Update shows on the order what the channel changed. The store overwrites attributes and the
// note as a whole, so they are read and added to first: what staff wrote stays. Doing the same
// update twice changes nothing.
func (a *Admin) Update(ctx context.Context, _ string, id shopadmin.OrderID, u shopadmin.Update) error {
	if u.ShipTo == nil && len(u.Attributes) == 0 && len(u.AddTags) == 0 && strings.TrimSpace(u.Note) == "" {
		return nil
	}
	var now struct{ Order *orderNode }
	if err := a.client.do(ctx, docOrderAttributes, map[string]any{"id": string(id)}, &now); err != nil {
		return err
	}
	if now.Order == nil {
		return gone(string(id))
	}
	in := updateInput{ID: string(id), ShippingAddress: toAddress(u.ShipTo), CustomAttributes: merged(now.Order.CustomAttributes, u.Attributes),
		Note: noted(now.Order.Note, u.Note)}
	if in.ShippingAddress != nil || in.CustomAttributes != nil || in.Note != "" {
		var out struct {
			Payload *struct{ UserErrors []userError } `json:"orderUpdate"`
		}
		if err := a.client.do(ctx, docUpdateOrder, map[string]any{"input": in}, &out); err != nil {
			return err
		}
		if out.Payload == nil {
			return empty(docUpdateOrder)
		}
		if err := userErrors(docUpdateOrder.name, out.Payload.UserErrors); err != nil {
			return err
		}
	}
	return a.addTags(ctx, id, now.Order.Tags, u.AddTags)
}

// noted returns the note to write: what stands there and the new lines below it, or "" when it
// holds them already.
func noted(have, add string) string {
	add = strings.TrimSpace(add)
	if add == "" || strings.Contains("\n"+unix(have)+"\n", "\n"+unix(add)+"\n") {
		return ""
	}
	if strings.TrimSpace(have) == "" {
		return add
	}
	return have + "\n" + add
}

// unix drops the carriage returns and trailing spaces that a browser's text field leaves.
func unix(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// merged returns the attributes to write, or nil when all are there already.
func merged(have []attribute, want map[string]string) []attribute {
	all := toMap(have)
	if all == nil {
		all = map[string]string{}
	}
	before := maps.Clone(all)
	maps.Copy(all, want)
	if maps.Equal(before, all) {
		return nil
	}
	return toAttributes(all)
}

func (a *Admin) addTags(ctx context.Context, id shopadmin.OrderID, have, want []string) error {
	var tags []string
	for _, t := range want {
		if !slices.Contains(have, t) {
			tags = append(tags, t)
		}
	}
	if len(tags) == 0 {
		return nil
	}
	var out struct {
		Payload *struct{ UserErrors []userError } `json:"tagsAdd"`
	}
	if err := a.client.do(ctx, docAddTags, map[string]any{"id": string(id), "tags": tags}, &out); err != nil {
		return err
	}
	if out.Payload == nil {
		return empty(docAddTags)
	}
	return userErrors(docAddTags.name, out.Payload.UserErrors)
}

// empty is an answer to a write that says neither yes nor no.
func empty(d document) error {
	return fault.New(fault.Unknown, "shopify %s: an empty answer", d.name)
}
