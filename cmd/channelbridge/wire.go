package main

import (
	"context"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
	"channelbridge/internal/httpx"
	"channelbridge/internal/vault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon"
	"channelbridge/marketplace/generic"
	"channelbridge/shopadmin/shopify"
)

// This file alone names concrete adapters, the concrete store and the real clock.

// realClock is the only source of time outside tests.
func realClock() time.Time { return time.Now() }

// platform is something we can connect to.
type platform struct {
	role     connector.Role
	name     string // for people; also the payment's name on mirrored orders
	tagged   bool   // its name is the default tag
	given    func(ConnectionConfig) bool
	build    func(ConnectionConfig, hooks) (*link, error)
	orderURL func(ConnectionConfig) string // where staff can see an order there
}

// platforms are all we know, by the name used in the configuration.
var platforms = map[string]platform{
	"amazon": {role: connector.RoleChannel, name: "Amazon", tagged: true, build: buildAmazon, orderURL: sellerCentral,
		given: func(c ConnectionConfig) bool { return c.Amazon != nil }},
	"shopify": {role: connector.RoleStore, name: "Shopify", build: buildShopify,
		given: func(c ConnectionConfig) bool { return c.Shopify != nil }},
	"generic": {role: connector.RoleChannel, build: buildGeneric,
		given: func(c ConnectionConfig) bool { return c.Generic != nil }},
}

func buildAmazon(c ConnectionConfig, h hooks) (*link, error) {
	a := c.Amazon
	adapter, err := amazon.New(amazon.Config{
		SellerID: a.SellerID, Region: a.Region, Sites: a.Sites,
		ClientID: a.ClientID, ClientSecret: a.ClientSecret, RefreshToken: a.RefreshToken,
		Endpoint: a.Endpoint, TokenURL: a.TokenURL,
		QueueURL: a.Queue.URL, QueueEndpoint: a.Queue.Endpoint, QueueARN: a.Queue.ARN, AWSRegion: a.Queue.Region,
		AWSAccessKeyID: a.Queue.AccessKeyID, AWSSecretAccessKey: a.Queue.SecretAccessKey,
		PipeAuthHeader: a.Pipe.AuthHeader, PipeAuthToken: a.Pipe.AuthToken, PipeAuthTokenPrevious: a.Pipe.AuthTokenPrevious,
		Carriers: c.carriers(), Reasons: c.reasons(), Taxes: taxes(a.Taxes), SecretExpires: a.SecretExpires.Time, AuthorizationExpires: a.AuthorizationExpires.Time,
		HTTP: httpx.Config{Transport: h.transport, Clock: h.clock, Log: h.log, Observe: h.observe, Timeout: h.timeout},
	})
	if err != nil {
		return nil, err
	}
	l := &link{cfg: c, id: connector.ConnectionID(c.ID), role: connector.RoleChannel, channel: adapter, receiver: queued{adapter}}
	if a.Queue.URL != "" {
		l.poller = adapter
	}
	return l, nil
}

func taxes(by map[string]string) map[string]amazon.TaxStrategy {
	out := map[string]amazon.TaxStrategy{}
	for site, s := range by {
		out[site] = amazon.TaxStrategy(s)
	}
	return out
}

// queued lets bodies be read whose authenticity is known: Amazon's queue vouches for them.
type queued struct{ *amazon.Adapter }

// Unwrap implements webhooks.Unwrapper.
func (q queued) Unwrap(body []byte) ([]marketplace.Hint, error) {
	return q.ReceiveQueued(time.Time{}, marketplace.Inbound{Body: body})
}

func sellerCentral(c ConnectionConfig) string {
	if c.Amazon == nil {
		return ""
	}
	host := map[string]string{"eu": "sellercentral-europe.amazon.com", "fe": "sellercentral.amazon.co.jp"}[c.Amazon.Region]
	return "https://" + or(host, "sellercentral.amazon.com") + "/orders-v3/order/{id}"
}

func buildShopify(c ConnectionConfig, h hooks) (*link, error) {
	s := c.Shopify
	admin, err := shopify.New(shopify.Config{
		Shop: s.Shop, BaseURL: s.Endpoint, APIVersion: s.APIVersion,
		ClientID: s.ClientID, ClientSecret: s.ClientSecret, PreviousSecret: s.ClientSecretPrevious,
		SecretExpires: s.PreviousExpires.Time, Token: s.AccessToken,
		SearchTag: s.SearchTag, OrdersPerMinute: s.OrdersPerMinute, SettleIn: time.Duration(s.SettleIn),
		Transport: h.transport, Clock: h.clock, Timeout: h.timeout, Log: h.log, Observe: h.observe,
	})
	if err != nil {
		return nil, err
	}
	return &link{cfg: c, id: connector.ConnectionID(c.ID), role: connector.RoleStore, shop: admin, privacy: shopify.ComplianceTopics()}, nil
}

func buildGeneric(c ConnectionConfig, h hooks) (*link, error) {
	g := c.Generic
	adapter, err := generic.New(generic.Config{
		Base: g.Endpoint, Token: g.Token, Secret: g.Secret, Previous: g.SecretPrevious, Tolerance: time.Duration(g.Tolerance),
		Site: g.Site, SiteName: g.SiteName, Zone: g.Zone, Carriers: c.carriers(), NeedTrack: g.NeedTracking, SettleIn: time.Duration(g.SettleIn),
		Instructions: g.instructions(), Capture: g.Capture, WholeOnly: g.WholeOnly, Reasons: c.reasons(),
		HTTP: httpx.Config{Service: "generic", Transport: h.transport, Clock: h.clock, Log: h.log, Observe: h.observe, Timeout: h.timeout},
	})
	if err != nil {
		return nil, err
	}
	return &link{cfg: c, id: connector.ConnectionID(c.ID), role: connector.RoleChannel, channel: adapter.Channel(), receiver: adapter,
		pushOnly: g.Endpoint == ""}, nil
}

// openStore opens the configured database. With migrate its schema is brought up.
func openStore(ctx context.Context, c *Config, migrate bool) (*sqlstore.Store, error) {
	return sqlstore.Open(ctx, string(c.DatabaseURL), sqlstore.Options{NoMigrate: !migrate, MaxConns: c.Limits.DatabaseConns})
}

// openVault finds the key. One is made only beside the embedded database: with PostgreSQL the
// bridge may run on many machines, and each would make its own.
func openVault(c *Config, create bool) (*vault.Vault, error) {
	return vault.Open(vault.Source{Key: c.Key, File: c.KeyFile, Create: create && !c.DatabaseURL.postgres()})
}
