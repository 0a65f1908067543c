package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/money"
	"channelbridge/internal/tray"
	"channelbridge/marketplace"
)

// PayoutsConfig is how a channel pays, and how its payouts are held against its orders.
type PayoutsConfig struct {
	Zone      string                     `yaml:"zone" doc:"IANA time zone in which the account's days and months end. Default: time_zone."`
	Trigger   string                     `yaml:"trigger" default:"shipped" enum:"shipped,delivered,paid" doc:"What starts the wait until an order's money is freed."`
	Wait      Duration                   `yaml:"wait" default:"7d" doc:"How long the channel waits after that."`
	Every     Duration                   `yaml:"every" default:"14d" doc:"The longest time until its next payout. An order whose money has not come by then is overdue."`
	Tolerance map[string]ToleranceConfig `yaml:"tolerance" doc:"By currency: differences that are too small to matter. Default: one minor unit, 100 where the currency has no decimals."`
	Drift     int64                      `yaml:"drift_basis_points" default:"5" doc:"How much of what a month has brought its tolerated differences may come to in one direction, in hundredths of a percent. More is found as tolerance_drift: a tariff is wrong then."`
	PullEvery Duration                   `yaml:"pull_every" default:"1h" doc:"Time between two looks for new payout documents."`
	Pull      *bool                      `yaml:"pull" doc:"Fetch the payout documents the channel makes, its transfers to the bank and what it holds back, where it offers them. Default: true."`
	Folder    string                     `yaml:"folder" doc:"Folder out of which payout files are taken while the bridge runs; they are moved to imported or rejected below it. Each channel has its own. Default: none."`
	Accounts  map[string]string          `yaml:"accounts" doc:"Accounts of the books by category, over the built-in ones, for journals; clearing and bank name the two others."`
	Files     []PayoutFileConfig         `yaml:"files" doc:"Further forms of payout files, for channels that are not asked themselves."`
}

// ToleranceConfig bounds a difference.
type ToleranceConfig struct {
	Minor int64 `yaml:"minor" doc:"In minor units of the currency, such as cents."`
	BP    int64 `yaml:"basis_points" doc:"In hundredths of a percent of what was expected; the smaller of both bounds counts. 0: only the other one."`
}

// PayoutFileConfig describes a table as text, one movement a row.
type PayoutFileConfig struct {
	Name       string                 `yaml:"name" required:"true" doc:"Name of the form."`
	Delimiter  string                 `yaml:"delimiter" default:"," doc:"What stands between two columns; tab for a tabulator."`
	Decimal    string                 `yaml:"decimal" default:"." enum:".,comma" doc:"The mark of decimals: a point, or comma."`
	Currency   string                 `yaml:"currency" doc:"Currency of all amounts, where no column says it."`
	Zone       string                 `yaml:"zone" default:"UTC" doc:"IANA time zone of instants that name none."`
	Dates      []string               `yaml:"dates" doc:"How instants are written, such as YYYY-MM-DD hh:mm:ss or DD/MM/YYYY; Z stands for an offset."`
	Columns    map[string]string      `yaml:"columns" doc:"The file's headings, by what stands under them: payout, total and amount are needed; currency, paid_at, line, type, text, order, alias, item, refund, shipment, sku, quantity and posted_at."`
	Categories []PayoutCategoryConfig `yaml:"categories" doc:"What the channel's words mean; the first that fits counts, and what fits none is unclassified."`
}

// PayoutCategoryConfig is one row of that table.
type PayoutCategoryConfig struct {
	Type     string `yaml:"type" doc:"The word under type; absent: any."`
	Text     string `yaml:"text" doc:"The word under text; absent: any."`
	Category string `yaml:"category" required:"true" doc:"What it is, such as principal, commission or refund_principal."`
}

// payouts is the section with its defaults, also where it is absent.
func (c ConnectionConfig) payouts() PayoutsConfig {
	if c.Payouts != nil {
		return *c.Payouts
	}
	var p PayoutsConfig
	newDecoder("", nil, func(string) (string, bool) { return "", false }).object(nil, reflect.ValueOf(&p).Elem(), "")
	return p
}

// payoutAccount is a channel as the books know it.
func (c ConnectionConfig) payoutAccount(zone string) payout.Account {
	p := c.payouts()
	a := payout.Account{ID: connector.ConnectionID(c.ID), Zone: or(p.Zone, zone), Tol: map[string]payout.Tolerance{}, Chart: p.chart(), Drift: p.Drift,
		Terms: payout.Terms{Trigger: payout.Trigger(p.Trigger), Wait: time.Duration(p.Wait), Every: time.Duration(p.Every)}}
	for cur, t := range p.Tolerance {
		a.Tol[cur] = payout.Tolerance{Minor: t.Minor, BP: t.BP}
	}
	return a
}

// chart is where journals enter what a channel has paid.
func (p PayoutsConfig) chart() payout.Chart {
	c := payout.DefaultChart()
	for name, account := range p.Accounts {
		switch name {
		case "clearing":
			c.Clearing = account
		case "bank":
			c.Bank = account
		default:
			c.Categories[marketplace.Category(name)] = account
		}
	}
	return c
}

// mapping is a form of files as the importer reads it.
func (f PayoutFileConfig) mapping() payout.Mapping {
	m := payout.Mapping{Title: f.Name, Decimal: f.Decimal, Currency: f.Currency, Zone: f.Zone, Dates: f.Dates, Columns: f.Columns}
	if f.Decimal == "comma" {
		m.Decimal = ","
	}
	m.Delimiter, _ = utf8.DecodeRuneInString(f.Delimiter)
	if f.Delimiter == "tab" {
		m.Delimiter = '\t'
	}
	for _, c := range f.Categories {
		m.Rows = append(m.Rows, payout.MappedCategory{Type: c.Type, Text: c.Text, Category: marketplace.Category(c.Category)})
	}
	return m
}

// check says what is wrong with the section.
func (p PayoutsConfig) check(d *decoder, path string) {
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "Local" {
		d.fault(join(path, "zone"), "%q is not an IANA time zone such as Europe/Berlin", p.Zone)
	}
	if p.Wait < 0 || p.Every < 0 {
		d.fault(join(path, "wait"), "a time must not be below zero")
	}
	if time.Duration(p.PullEvery) < time.Second && !d.faulty(join(path, "pull_every")) {
		d.fault(join(path, "pull_every"), "less than a second is too often")
	}
	if p.Drift < 1 || p.Drift > 10000 {
		d.fault(join(path, "drift_basis_points"), "it is a number from 1 to 10000")
	}
	for cur, t := range p.Tolerance {
		if !money.ValidCode(cur) || t.Minor < 0 || t.BP < 0 {
			d.fault(join(path, "tolerance"), "%q: it needs a currency such as USD and bounds that are not below zero", cur)
		}
	}
	for name := range p.Accounts {
		if name != "clearing" && name != "bank" && !marketplace.Category(name).Known() {
			d.fault(join(path, "accounts"), "%q is neither a category nor clearing nor bank", name)
		}
	}
	for i, f := range p.Files {
		if err := f.mapping().Check(); err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				d.fault(fmt.Sprintf("%s[%d]", join(path, "files"), i), "%s", line)
			}
		}
	}
}

// checkFolders refuses a folder of payout files that two channels share, or that another one moves its
// files to: whose a file is would be a matter of luck.
func (c *Config) checkFolders(d *decoder) {
	for i, conn := range c.Connections {
		folder := conn.payoutFolder()
		for j, other := range c.Connections {
			theirs := other.payoutFolder()
			if i == j || folder == "" || theirs == "" {
				continue
			}
			done := folder == filepath.Join(theirs, tray.Imported) || folder == filepath.Join(theirs, tray.Rejected)
			if done || folder == theirs && j < i {
				d.fault(fmt.Sprintf("connections[%d].payouts.folder", i), "%q is used by the channel %s already: each has its own", conn.Payouts.Folder, other.ID)
			}
		}
	}
}

// payoutFolder is the folder as a whole path, for comparing; "" when there is none.
func (c ConnectionConfig) payoutFolder() string {
	if c.Payouts == nil || c.Payouts.Folder == "" {
		return ""
	}
	whole, err := filepath.Abs(c.Payouts.Folder)
	if err != nil { // of the working folder
		return filepath.Clean(c.Payouts.Folder)
	}
	return whole
}

// pulls reports that payout documents are fetched.
func (c ConnectionConfig) pulls() bool {
	p := c.payouts().Pull
	return p == nil || *p
}
