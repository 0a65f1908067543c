package main

import (
	"fmt"
	"net"
	"net/url"

	"channelbridge/internal/notify"
	"channelbridge/internal/secret"
	"channelbridge/internal/signature"
)

// EventConfig is one of the operator's own systems that is told what happened.
type EventConfig struct {
	ID       string      `yaml:"id" required:"true" pattern:"^[a-z0-9][a-z0-9_-]{0,62}$" doc:"Short name. What was sent and what is still to be sent is kept under it: do not change it."`
	URL      string      `yaml:"url" required:"true" doc:"Address that events are posted to. https, unless it is on this machine."`
	Secret   secret.Text `yaml:"secret" required:"true" doc:"Secret that signs events (Standard Webhooks): whsec_ and base64 of at least 24 bytes."`
	Previous secret.Text `yaml:"previous_secret" doc:"Former secret; events are signed with it as well while it is being changed."`
	Types    []string    `yaml:"types" enum:"payout.imported,payout.reconciled,payout.not_proven,payout.lines_unclassified,finding.opened,finding.changed,settlement.overdue,tolerance.drift,close.created,close.undone,claim.settled" doc:"Types of events that are told. Default: all."`
	Insecure bool        `yaml:"insecure" doc:"Allow http to another machine, where anybody on the way can read the events. Default: false."`
}

// endpoint is what the sender needs; whatever is wrong was said by check.
func (e EventConfig) endpoint() notify.Endpoint {
	out := notify.Endpoint{ID: e.ID, URL: e.URL, Types: e.Types}
	for _, s := range []secret.Text{e.Secret, e.Previous} {
		if k, err := signature.ParseKey(s); err == nil {
			out.Keys = append(out.Keys, k)
		}
	}
	return out
}

func (c *Config) checkEvents(d *decoder) {
	first := map[string]int{}
	for i, e := range c.Events {
		path := fmt.Sprintf("events[%d]", i)
		e.check(d, path)
		if j, again := first[e.ID]; again && e.ID != "" {
			d.fault(join(path, "id"), "%q is the id of events[%d] already", e.ID, j)
			continue
		}
		first[e.ID] = i
	}
}

// check says what is wrong with one endpoint.
func (e EventConfig) check(d *decoder, path string) {
	if at := join(path, "url"); !d.faulty(at) {
		if why := e.refused(); why != "" {
			d.fault(at, "%s", why)
		}
	}
	for key, s := range map[string]secret.Text{"secret": e.Secret, "previous_secret": e.Previous} {
		if at := join(path, key); s.Set() && !d.faulty(at) {
			if _, err := signature.ParseKey(s); err != nil {
				d.fault(at, "the secret %s", err)
			}
		}
	}
}

// refused says why an address is not posted to; "" when it is.
func (e EventConfig) refused() string {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "it is not an http or https address"
	case u.User != nil:
		return "it must not hold a name or a password: events are signed, see secret"
	case u.Fragment != "":
		return "it must not hold a fragment"
	case u.Scheme == "http" && !e.Insecure && !onThisMachine(u.Hostname()):
		return "http can be read on the way: use https, or say insecure: true"
	}
	return ""
}

// onThisMachine reports a host that is this machine whatever a name server says.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
