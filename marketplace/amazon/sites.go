package amazon

// site is what one marketplace id stands for.
type site struct {
	zone  string // where its day ends
	gross bool   // prices shown to buyers contain the tax
}

const maxSites = 50 // in one listing

// sites follow Amazon's list of marketplace ids. Countries with several zones take the one
// Amazon keeps its days in there.
var sites = map[string]site{
	"ATVPDKIKX0DER":  {"America/Los_Angeles", false}, // US
	"A2EUQ1WTGCTBG2": {"America/Los_Angeles", false}, // CA, run on US time
	"A1AM78C64UM0Y8": {"America/Mexico_City", true},  // MX
	"A2Q3Y263D00KWC": {"America/Sao_Paulo", true},    // BR
	"A1F83G8C2ARO7P": {"Europe/London", true},        // UK
	"A1PA6795UKMFR9": {"Europe/Berlin", true},        // DE
	"A13V1IB3VIYZZH": {"Europe/Paris", true},         // FR
	"APJ6JRA9NG5V4":  {"Europe/Rome", true},          // IT
	"A1RKKUPIHCS9HS": {"Europe/Madrid", true},        // ES
	"A1805IZSGTT6HS": {"Europe/Amsterdam", true},     // NL
	"AMEN7PMS3EDWL":  {"Europe/Brussels", true},      // BE
	"A2NODRKZP88ZB9": {"Europe/Stockholm", true},     // SE
	"A1C3SOZRARQ6R3": {"Europe/Warsaw", true},        // PL
	"A28R8C7NBKEWEA": {"Europe/Dublin", true},        // IE
	"A33AVAJ2PDY3EV": {"Europe/Istanbul", true},      // TR
	"A2VIGQ35RCS4UG": {"Asia/Dubai", true},           // AE
	"A17E79C6D8DWNP": {"Asia/Riyadh", true},          // SA
	"ARBP9OOSHTCHU":  {"Africa/Cairo", true},         // EG
	"AE08WJ6YKNBMC":  {"Africa/Johannesburg", true},  // ZA
	"A21TJRUUN4KGV":  {"Asia/Kolkata", true},         // IN
	"A1VC38T7YXB528": {"Asia/Tokyo", true},           // JP
	"A19VAU5U5O7RUS": {"Asia/Singapore", true},       // SG
	"A39IBJ37TRP1C6": {"Australia/Sydney", true},     // AU
}
