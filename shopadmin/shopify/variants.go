package shopify

import (
	"context"
	"strings"
	"sync"
	"time"

	"channelbridge/internal/fault"
	"channelbridge/shopadmin"
)

const (
	variantsFor  = 5 * time.Minute // how long a looked-up SKU is believed
	variantsMost = 10_000          // cached SKUs; then the cache starts afresh
	skusAtOnce   = 10
)

// variantCache remembers which variant a SKU names: "" for none or more than one.
type variantCache struct {
	mu    sync.Mutex
	known map[string]variantEntry
}

type variantEntry struct {
	id    string
	until time.Time
}

// variantsOf returns the variant of each SKU that names exactly one. The others become custom
// lines: an order must arrive whatever the catalogue says.
func (a *Admin) variantsOf(ctx context.Context, lines []shopadmin.NewLine) (map[string]string, error) {
	found, missing := a.cached(lines)
	for len(missing) > 0 {
		n := min(skusAtOnce, len(missing))
		ids, err := a.lookup(ctx, missing[:n])
		if fault.Is(err, fault.Denied) {
			a.cfg.Log.Warn("products cannot be looked up; lines are created without a product", "err", err)
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		a.remember(missing[:n], ids)
		for sku, id := range ids {
			found[sku] = id
		}
		missing = missing[n:]
	}
	return found, nil
}

func (a *Admin) cached(lines []shopadmin.NewLine) (found map[string]string, missing []string) {
	a.variants.mu.Lock()
	defer a.variants.mu.Unlock()
	found = map[string]string{}
	asked := map[string]bool{}
	for _, l := range lines {
		if l.SKU == "" || asked[l.SKU] {
			continue
		}
		asked[l.SKU] = true
		if e, ok := a.variants.known[l.SKU]; ok && a.cfg.Clock().Before(e.until) {
			found[l.SKU] = e.id
			continue
		}
		missing = append(missing, l.SKU)
	}
	return found, missing
}

// lookup asks for several SKUs at once. The search ignores case and cuts words, so only exact
// equals count.
func (a *Admin) lookup(ctx context.Context, skus []string) (map[string]string, error) {
	terms := make([]string, len(skus))
	for i, s := range skus {
		terms[i] = "sku:" + quote(s)
	}
	query := strings.Join(terms, " OR ")
	type variant struct{ ID, SKU string }
	fetch := func(after string) (connection[variant], error) {
		vars := map[string]any{"query": query}
		if after != "" {
			vars["after"] = after
		}
		var out struct{ ProductVariants connection[variant] }
		err := a.client.do(ctx, docVariants, vars, &out)
		return out.ProductVariants, err
	}
	first, err := fetch("")
	if err != nil {
		return nil, err
	}
	all, err := walk(first, fetch)
	if err != nil {
		return nil, err
	}
	ids, count := map[string]string{}, map[string]int{}
	for _, v := range all {
		count[v.SKU]++
		ids[v.SKU] = v.ID
	}
	for sku := range ids {
		if count[sku] > 1 {
			a.cfg.Log.Info("several products share a SKU; its lines are created without a product", "sku", sku)
			delete(ids, sku)
		}
	}
	return ids, nil
}

func (a *Admin) remember(skus []string, ids map[string]string) {
	a.variants.mu.Lock()
	defer a.variants.mu.Unlock()
	if len(a.variants.known) > variantsMost {
		clear(a.variants.known)
	}
	until := a.cfg.Clock().Add(variantsFor)
	for _, s := range skus {
		a.variants.known[s] = variantEntry{ids[s], until}
	}
}

// forgetVariants drops what is remembered of these lines, after the store refused them.
func (a *Admin) forgetVariants(lines []shopadmin.NewLine) {
	a.variants.mu.Lock()
	defer a.variants.mu.Unlock()
	for _, l := range lines {
		delete(a.variants.known, l.SKU)
	}
}
