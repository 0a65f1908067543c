package shopify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"channelbridge/shopadmin"
)

// scopes are the permissions the documents need, with what is lost without them.
var scopes = []struct{ handle, loses string }{
	{"read_orders", "orders cannot be read"},
	{"write_orders", "orders cannot be created, refunded or cancelled"},
	{"read_products", "lines are created without their product, so stock does not move"},
	{"read_locations", "refunds cannot put goods back into stock"},
	{"read_merchant_managed_fulfillment_orders", "holds cannot be seen"},
	{"write_merchant_managed_fulfillment_orders", "shipping cannot be held"},
}

// skewTolerance is how far the two clocks may differ unremarked.
const skewTolerance = time.Minute

// Check asks who we are at the store and what we may do there.
func (a *Admin) Check(ctx context.Context) (shopadmin.Health, error) {
	var out struct {
		CurrentAppInstallation struct {
			AccessScopes []struct{ Handle string }
		}
		Shop struct{ Name, MyshopifyDomain, CurrencyCode, IANATimezone string }
	}
	if err := a.client.do(ctx, docAppState, nil, &out); err != nil {
		return shopadmin.Health{}, err
	}
	h := shopadmin.Health{Account: out.Shop.Name, Zone: out.Shop.IANATimezone, Currency: out.Shop.CurrencyCode}
	var have []string
	for _, s := range out.CurrentAppInstallation.AccessScopes {
		have = append(have, s.Handle)
	}
	for _, s := range scopes {
		if !granted(have, s.handle) {
			h.Warnings = append(h.Warnings, fmt.Sprintf("access scope %s is missing: %s", s.handle, s.loses))
		}
	}
	if d := out.Shop.MyshopifyDomain; d != "" && d != a.cfg.Shop {
		h.Warnings = append(h.Warnings, fmt.Sprintf("the store calls itself %s; pushes for %s would be refused", d, a.cfg.Shop))
	}
	if _, err := time.LoadLocation(h.Zone); err != nil || h.Zone == "" {
		h.Warnings = append(h.Warnings, fmt.Sprintf("the store's time zone %q is not known here", h.Zone))
	}
	served, skew := a.client.learned()
	h.ClockSkew = skew
	if served != "" && served != a.cfg.APIVersion {
		h.Warnings = append(h.Warnings, fmt.Sprintf("the store serves API version %s instead of %s, which has expired or is unknown", served, a.cfg.APIVersion))
	}
	if skew.Abs() > skewTolerance {
		h.Warnings = append(h.Warnings, fmt.Sprintf("the clocks differ by %s", skew))
	}
	return h, nil
}

// granted knows that permission to write includes permission to read.
func granted(have []string, scope string) bool {
	if slices.Contains(have, scope) {
		return true
	}
	rest, ok := strings.CutPrefix(scope, "read_")
	return ok && slices.Contains(have, "write_"+rest)
}
