package amazon

import (
	"errors"
	"strings"

	"channelbridge/marketplace"
)

// defaultCarriers maps the names stores use, in lower case, to Amazon's carrier codes.
// A carrier that is not here must be mapped by the operator: sending a known carrier as
// "Other" counts as invalid tracking.
var defaultCarriers = func() map[string]marketplace.Carrier {
	table := map[string]marketplace.Carrier{}
	for code, names := range map[string]string{
		"UPS": "ups,united parcel service", "USPS": "usps,us postal service", "FedEx": "fedex,federal express",
		"DHL": "dhl", "DHL eCommerce": "dhl ecommerce,dhl ecommerce asia,dhl global mail", "DHL Express": "dhl express",
		"UPSMI": "ups mail innovations,upsmi", "OnTrac": "ontrac", "Lasership": "lasership",
		"Canada Post": "canada post", "PUROLATOR": "purolator",
		"Royal Mail": "royal mail", "Hermes UK": "hermes uk,evri", "DPD": "dpd,dpd uk,dpd germany", "DPD Local": "dpd local",
		"Yodel": "yodel", "Parcelforce": "parcelforce,parcel force",
		"Deutsche Post": "deutsche post,deutsche post (de),deutsche post (en)", "GLS": "gls", "Chronopost": "chronopost",
		"Colissimo": "colissimo", "La Poste": "la poste", "Mondial Relay": "mondial relay",
		"Correos": "correos,correos express", "Seur": "seur", "Poste Italiane": "poste italiane", "BRT": "brt,bartolini",
		"PostNL": "postnl,post nl", "InPost": "inpost,inpost paczkomaty",
		"Japan Post": "japan post,japan post (en),japan post (ja)", "YAMATO": "yamato,yamato (en),yamato (ja)",
		"SAGAWA":         "sagawa,sagawa (en),sagawa (ja)",
		"Australia Post": "australia post", "Sendle": "sendle", "StarTrack-ArticleID": "startrack",
		"Singapore Post": "singapore post", "Ninjavan": "ninjavan,ninja van",
		"Delhivery": "delhivery", "BlueDart": "bluedart,blue dart", "Aramex": "aramex,aramex australia",
		"Amazon Shipping": "amazon shipping", "Self Delivery": "self delivery,local delivery",
	} {
		for name := range strings.SplitSeq(names, ",") {
			table[name] = marketplace.Carrier{Code: code, Name: code}
		}
	}
	return table
}()

// otherCarrier is Amazon's code for a carrier it does not list; it needs a name.
const otherCarrier = "Other"

func checkCarrier(c marketplace.Carrier) error {
	switch {
	case c.Code == "":
		return errors.New("the carrier code is missing")
	case strings.EqualFold(c.Code, otherCarrier) && c.Name == "":
		return errors.New(`the carrier code "Other" needs a carrier name`)
	}
	return nil
}
