package main

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/vault"
)

// check looks for what the description of a single field cannot say.
func (c *Config) check(d *decoder) {
	for path, addr := range map[string]string{"listen": c.Listen, "metrics_listen": c.MetricsListen} {
		if addr == "" || d.faulty(path) {
			continue
		}
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			d.fault(path, "%q is not an address to listen on such as :8080 or 127.0.0.1:8080", addr)
		}
	}
	for path, addr := range map[string]string{"public_url": c.PublicURL, "tracing.endpoint": c.Tracing.Endpoint} {
		if addr != "" && !d.faulty(path) && !webAddress(addr) {
			d.fault(path, "%q is not an http or https address", addr)
		}
	}
	if strings.ContainsAny(c.PublicURL, "?#") {
		d.fault("public_url", "it must not hold a query")
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
		d.fault("time_zone", "%q is not an IANA time zone such as Europe/Berlin", c.TimeZone)
	}
	if c.Tracing.Share < 0 || c.Tracing.Share > 1 {
		d.fault("tracing.share", "%v is not between 0 and 1", c.Tracing.Share)
	}
	if c.Key.Set() {
		if _, err := vault.Parse(c.Key.Reveal()); err != nil {
			d.fault("-", "%s", err)
		}
	}
	c.checkBounds(d)
	c.checkConnections(d)
	c.checkEvents(d)
}

func (c *Config) checkBounds(d *decoder) {
	for path, n := range map[string]int64{"limits.workers": int64(c.Limits.Workers), "limits.database_connections": int64(c.Limits.DatabaseConns),
		"limits.max_body": c.Limits.MaxBody, "limits.max_in_flight": int64(c.Limits.MaxInFlight), "limits.rejects_kept": int64(c.Limits.RejectsKept),
		"api.rate": int64(c.API.Rate)} {
		if n <= 0 && !d.faulty(path) {
			d.fault(path, "%d is not above zero", n)
		}
	}
	for path, t := range map[string]Duration{"limits.call_timeout": c.Limits.CallTimeout, "limits.shutdown": c.Limits.Shutdown} {
		if (time.Duration(t) < time.Second || time.Duration(t) > longestLook) && !d.faulty(path) {
			d.fault(path, "it must be between 1s and %s", longestLook)
		}
	}
	if g := time.Duration(c.Limits.BatchGather); (g < time.Millisecond || g > longestGather) && !d.faulty("limits.batch_gather") {
		d.fault("limits.batch_gather", "it must be between 1ms and %s", longestGather)
	}
	if f := time.Duration(c.Limits.BatchFind); (f < time.Second || f > longestFind) && !d.faulty("limits.batch_find") {
		d.fault("limits.batch_find", "it must be between 1s and %s", longestFind)
	}
	if lease := time.Duration(c.Limits.Lease); (lease < 5*time.Second || lease > time.Hour) && !d.faulty("limits.lease") {
		d.fault("limits.lease", "it must be between 5s and 1h")
	} else if lease < time.Duration(c.Limits.CallTimeout) && !d.faulty("limits.call_timeout") {
		d.fault("limits.lease", "it must not be shorter than limits.call_timeout")
	}
	if time.Duration(c.Retention.Personal) < 24*time.Hour && !d.faulty("retention.personal") {
		d.fault("retention.personal", "less than a day is too short: parcels have to be sent to the address")
	}
	if time.Duration(c.Retention.Deliveries) < 24*time.Hour && !d.faulty("retention.deliveries") {
		d.fault("retention.deliveries", "less than a day is too short: stores repeat a push for hours, and its repetition must be recognised")
	}
}

// longestLook bounds what is waited for: one call, and the end of all that is under way.
const longestLook = 2 * time.Minute

// longestGather bounds how long money waits for company, longestFind how long for the fate of a batch.
const (
	longestGather = time.Minute
	longestFind   = 24 * time.Hour
)

func (c *Config) checkConnections(d *decoder) {
	c.checkFolders(d)
	first := map[string]int{}
	for i, conn := range c.Connections {
		path := fmt.Sprintf("connections[%d]", i)
		conn.check(d, path)
		if j, again := first[conn.ID]; again && conn.ID != "" {
			d.fault(path+".id", "%q is the id of connections[%d] already", conn.ID, j)
			continue
		}
		first[conn.ID] = i
	}
	for i, conn := range c.Connections {
		path := fmt.Sprintf("connections[%d].store", i)
		if conn.role() != connector.RoleChannel || conn.Store == "" || d.faulty(path) {
			continue
		}
		switch j, ok := first[conn.Store]; {
		case !ok:
			d.fault(path, "there is no connection %q", conn.Store)
		case c.Connections[j].role() == connector.RoleChannel:
			d.fault(path, "%q is a sales channel, not a store", conn.Store)
		}
	}
}

// derive fills in what follows from the platform.
func (c *ConnectionConfig) derive() {
	if c.role() != connector.RoleChannel {
		return
	}
	p := platforms[c.Platform]
	if c.Tag == "" {
		c.Tag = c.ID
		if p.tagged {
			c.Tag = p.name
		}
	}
	if c.Stock == "" {
		c.Stock = "decrement"
	}
	if c.OrderURL == "" && p.orderURL != nil {
		c.OrderURL = p.orderURL(*c)
	}
}

// role is what the platform is; empty when it is not known.
func (c ConnectionConfig) role() connector.Role { return platforms[c.Platform].role }

// check looks at one connection. The adapter itself has the last word on its section.
func (c ConnectionConfig) check(d *decoder, path string) {
	at := func(key string) string { return join(path, key) }
	p, known := platforms[c.Platform]
	if !known {
		return // reported by its enum
	}
	for name, given := range map[string]bool{"amazon": c.Amazon != nil, "shopify": c.Shopify != nil, "generic": c.Generic != nil} {
		if given && name != c.Platform {
			d.fault(at(name), "the platform is %s: a section %s does not belong here", c.Platform, name)
		}
	}
	if !p.given(c) {
		d.fault(path, "the section %s is missing: it holds the credentials", c.Platform)
		return
	}
	switch p.role {
	case connector.RoleChannel:
		if c.Store == "" && !d.faulty(at("store")) {
			d.fault(at("store"), "is missing: a sales channel names the store in which its orders are mirrored")
		}
		c.checkRefunds(d, at)
		c.payouts().check(d, at("payouts"))
	case connector.RoleStore:
		c.checkStore(d, at)
	}
	if e := time.Duration(c.SweepEvery); e > 0 && e < time.Second {
		d.fault(at("sweep_every"), "less than a second is too often")
	}
	if d.faulty(path) {
		return
	}
	if _, err := p.build(c, hooks{}); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			d.fault(at(c.Platform), "%s", strings.TrimPrefix(line, c.Platform+": "))
		}
	}
}

// checkStore refuses what only channels have.
func (c ConnectionConfig) checkStore(d *decoder, at func(string) string) {
	for key, given := range map[string]bool{"store": c.Store != "", "tag": c.Tag != "", "tags": len(c.Tags) > 0, "stock": c.Stock != "",
		"name_prefix": c.NamePrefix != "", "order_url": c.OrderURL != "", "carriers": len(c.Carriers) > 0, "refunds": c.Refunds != nil,
		"payouts": c.Payouts != nil} {
		if given {
			d.fault(at(key), "only sales channels have this; %s is a store", c.ID)
		}
	}
}

func webAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
