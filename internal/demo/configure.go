package demo

import (
	"fmt"
	"os"
	"path/filepath"

	"channelbridge/marketplace/amazon/amazonfake"
)

// configuration is what an operator would write, with the addresses of the fakes.
const configuration = `# A bridge between one Amazon seller and one store, both of them fakes on this machine.
listen: %[1]s
public_url: http://%[1]s
database_url: %[2]q
data_dir: %[3]q
log: {level: info, format: json}
connections:
  - id: ` + Store + `
    platform: shopify
    sweep_every: 5s
    shopify:
      shop: acme.myshopify.com
      client_id: demo-shop-client
      client_secret: ${DEMO_SHOP_SECRET}
      endpoint: %[4]s
  - id: ` + Channel + `
    platform: amazon
    store: ` + Store + `
    tag: Amazon
    sweep_every: 20s
    payouts: {wait: 0s, every: 0s, pull_every: 5s}
    amazon:
      seller_id: ` + amazonfake.DefaultSeller + `
      region: na
      client_id: ` + amazonfake.DefaultClient + `
      client_secret: ${DEMO_AMAZON_SECRET}
      refresh_token: ${DEMO_AMAZON_REFRESH}
      endpoint: %[5]s
      token_url: %[5]s/auth/o2/token
      pipe:
        auth_token: ${DEMO_PIPE_TOKEN}
%[6]s`

// configure chooses the bridge's address and writes its configuration file.
func (w *World) configure() error {
	addr := w.opt.Listen
	if addr == "" {
		var err error
		if addr, err = freeAddress(); err != nil {
			return fmt.Errorf("an address for the bridge: %w", err)
		}
	}
	w.Bridge = "http://" + addr
	w.Config = filepath.Join(w.opt.Dir, "channelbridge.yaml")
	text := fmt.Sprintf(configuration, addr, w.database(), w.opt.Dir, w.shopURL, w.amazonURL, w.opt.Extra)
	if err := os.WriteFile(w.Config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the bridge's configuration: %w", err)
	}
	return nil
}
