package rig

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// writeConfig writes the configuration file of every instance. Where the program lets itself be
// told to be quick after a crash it is, so that tests need not wait as long as production may.
func (w *World) writeConfig() error {
	w.Settles = 20 * time.Second
	for quick := true; ; quick = false {
		for i, b := range w.Bridges {
			if err := os.WriteFile(b.Config, []byte(w.config(i, quick)), 0o600); err != nil {
				return err
			}
		}
		out, err := exec.Command(w.Program, "config", "--config", w.Bridges[0].Config).CombinedOutput()
		switch {
		case err == nil:
			return nil
		case !quick:
			return fmt.Errorf("the generated configuration: %w: %s", err, out)
		}
		w.Settles = 6 * time.Minute // leases of two and five minutes, the store's index two
	}
}

func (w *World) config(i int, quick bool) string {
	b, lease, settle := w.Bridges[i], "", ""
	if quick {
		lease, settle = ", lease: 10s", "settle_in: 3s"
	}
	amazon := ""
	if w.Amazon != nil {
		amazon = w.Amazon.config(w.Sweep)
	}
	return fmt.Sprintf(`listen: %s
public_url: %s
database_url: %s
data_dir: %s
log: {level: warn, format: text}
limits: {call_timeout: 3s, shutdown: 20s%s, batch_gather: 300ms, batch_find: 10s}
connections:
  - id: %s
    platform: shopify
    sweep_every: %s
    shopify:
      shop: %s
      client_secret: %s
      access_token: %s
      endpoint: %s
      %s
  - id: %s
    platform: generic
    store: %s
    tag: Bazaar
    sweep_every: %s
    carriers: {"": {code: other}}
    refunds: {per_hour: 0, mass_cancel: 0}
    generic:
      endpoint: %s
      token: %s
      secret: %s
      settle_in: 2s
      instructions: [cancel, cancel_units, refund]
%s`, b.Addr, b.URL(""), w.Cluster.URL(), w.Dir, lease, ShopID, w.Sweep, ShopDomain, ShopSecret, ShopToken, w.Shop.HTTP.URL, settle,
		MarketID, ShopID, w.Sweep, w.Market.HTTP.URL, marketToken, marketSecret, amazon)
}
