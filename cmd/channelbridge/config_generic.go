package main

import (
	"channelbridge/internal/secret"
	"channelbridge/marketplace"
)

// GenericConfig is one account at a marketplace that can sign a POST; it needs a secret, an
// endpoint or both.
type GenericConfig struct {
	Endpoint       string      `yaml:"endpoint" doc:"Base address of the channel's API. Without it the channel can only push: orders cannot be read again and shipments not confirmed."`
	Token          secret.Text `yaml:"token" doc:"Bearer token of the API."`
	Secret         secret.Text `yaml:"secret" doc:"Secret that signs pushes (Standard Webhooks), whsec_…. Without it every push is refused."`
	SecretPrevious secret.Text `yaml:"secret_previous" doc:"Former secret, still taken while it is being changed."`
	Tolerance      Duration    `yaml:"tolerance" doc:"How far a push's timestamp may be off. Default: 5m."`
	Site           string      `yaml:"site" doc:"Name of the site its orders come from. Default: generic."`
	SiteName       string      `yaml:"site_name" doc:"The site's name for people."`
	Zone           string      `yaml:"zone" doc:"IANA time zone in which the channel's day ends, for same-day deadlines. Default: UTC."`
	NeedTracking   bool        `yaml:"need_tracking" doc:"Whether the channel refuses a shipment without tracking number. Default: false."`
	SettleIn       Duration    `yaml:"settle_in" doc:"Time after which a read shows every earlier write. Default: 1m."`

	Instructions []string `yaml:"instructions" enum:"cancel,cancel_units,refund" doc:"What the channel does with money when it is asked to, any of cancel (a whole order), cancel_units and refund. With any of them its refunds are read too. Default: none, refunds of the store are held with the reason."`
	Capture      string   `yaml:"capture" enum:"order,shipment" doc:"When the channel charges the buyer: with the order, or unit by unit as they ship. Default: order."`
	WholeOnly    bool     `yaml:"whole_only" doc:"Whether the channel refunds whole orders only; other refunds are held. Default: false."`
}

// instructions are the money writes the channel was said to take.
func (g GenericConfig) instructions() []marketplace.Operation {
	var out []marketplace.Operation
	for _, op := range g.Instructions {
		out = append(out, marketplace.Operation(op))
	}
	return out
}
