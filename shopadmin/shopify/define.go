package shopify

import (
	"context"
)

// defineMark makes sure, once per process, that the store knows the mark's metafield. Values of
// a metafield of type id need a definition. Asking for one that exists is answered with TAKEN.
// false: the store will not have it, so orders are marked in the second way only.
func (a *Admin) defineMark(ctx context.Context) (bool, error) {
	a.defining.Lock()
	defer a.defining.Unlock()
	if a.defined {
		return true, nil
	}
	var out struct {
		Payload *struct{ UserErrors []userError } `json:"metafieldDefinitionCreate"`
	}
	vars := map[string]any{"definition": definitionInput{Name: "Marketplace order", Namespace: a.cfg.MarkNamespace,
		Key: a.cfg.MarkKey, Type: "id", OwnerType: "ORDER"}}
	if err := a.client.do(ctx, docDefineMark, vars, &out); err != nil {
		return false, err
	}
	if out.Payload == nil {
		return false, empty(docDefineMark)
	}
	if err := userErrors(docDefineMark.name, without(out.Payload.UserErrors, "TAKEN")); err != nil {
		a.cfg.Log.Warn("the mark's metafield cannot be defined; orders are found by source identifier only", "err", err)
		return false, nil
	}
	a.defined = true
	return true, nil
}

// without drops the errors whose code says that the wish was granted before.
func without(list []userError, codes ...string) []userError {
	var rest []userError
	for _, u := range list {
		granted := false
		for _, c := range codes {
			granted = granted || u.Code == c
		}
		if !granted {
			rest = append(rest, u)
		}
	}
	return rest
}

// handleOfHold names the holds this app puts on fulfillment orders. It is unique among the
// app's holds on one fulfillment order, so a second hold of ours is refused.
const handleOfHold = "channelbridge"
