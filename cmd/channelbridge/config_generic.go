package main

import "channelbridge/internal/secret"

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
}
