package generic

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// wireOrder is the order as the channel writes it; package documentation shows it.
type wireOrder struct {
	ID            ident              `json:"id"`
	PlacedAt      time.Time          `json:"placed_at"`
	UpdatedAt     time.Time          `json:"updated_at"`
	Status        string             `json:"status"`
	FulfilledBy   string             `json:"fulfilled_by"`
	Currency      string             `json:"currency"`
	Total         amount             `json:"total"`
	ShipTo        *wireAddress       `json:"ship_to"`
	Buyer         wireBuyer          `json:"buyer"`
	ShipBy        time.Time          `json:"ship_by"`
	DeliverBy     time.Time          `json:"deliver_by"`
	Service       string             `json:"service"`
	CancelRequest *wireCancelRequest `json:"cancel_request"`
	Lines         []wireLine         `json:"lines"`
	Packages      []wirePackage      `json:"packages"`
}

type wireLine struct {
	ID               ident  `json:"id"`
	SKU              string `json:"sku"`
	Title            string `json:"title"`
	Quantity         int    `json:"quantity"`
	Shipped          int    `json:"shipped"`
	Cancelled        int    `json:"cancelled"`
	Price            amount `json:"price"`
	Discount         amount `json:"discount"`
	Tax              amount `json:"tax"`
	TaxIncluded      bool   `json:"tax_included"`
	TaxByChannel     bool   `json:"tax_by_channel"`
	Shipping         amount `json:"shipping"`
	ShippingTax      amount `json:"shipping_tax"`
	ShippingDiscount amount `json:"shipping_discount"`
}

type wireAddress struct {
	Name       string `json:"name"`
	Company    string `json:"company"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2"`
	Line3      string `json:"line3"`
	City       string `json:"city"`
	District   string `json:"district"`
	Region     string `json:"region"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
	Phone      string `json:"phone"`
}

type wireBuyer struct {
	Name     string `json:"name"`
	Company  string `json:"company"`
	PONumber string `json:"po_number"`
}

type wireCancelRequest struct {
	Reason string  `json:"reason"`
	Lines  []ident `json:"lines"`
}

type wirePackage struct {
	Ref       ident         `json:"ref"`
	Carrier   string        `json:"carrier"`
	Tracking  string        `json:"tracking"`
	ShippedAt time.Time     `json:"shipped_at"`
	Status    string        `json:"status"`
	Lines     []wirePortion `json:"lines"`
}

type wirePortion struct {
	Line     ident `json:"line"`
	Quantity int   `json:"quantity"`
}

// wirePage is one answer of the list. Orders stay raw, so that one faulty order does not take
// the others with it.
type wirePage struct {
	Orders []json.RawMessage `json:"orders"`
	Next   string            `json:"next_page_token"`
}

type wireShipment struct {
	Ref         string        `json:"ref"`
	Carrier     string        `json:"carrier"`
	CarrierName string        `json:"carrier_name,omitempty"`
	Service     string        `json:"service,omitempty"`
	Tracking    string        `json:"tracking"`
	ShippedAt   time.Time     `json:"shipped_at"`
	Lines       []wirePortion `json:"lines"`
}

type wireReceipt struct {
	ID ident `json:"id"`
}

// ident is an id written as text or as a whole number of any length; it stays text.
type ident string

// UnmarshalJSON takes the digits of a number as they stand; no float is involved.
func (id *ident) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*id = ident(s)
		return nil
	}
	if string(b) == "null" {
		return nil
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return fmt.Errorf("id %.40q is neither text nor a whole number", b)
		}
	}
	*id = ident(b)
	return nil
}

// amount is a decimal written as text or as a JSON number, kept by its digits. Empty: not given.
type amount string

// UnmarshalJSON keeps the text; money.Parse judges it once the currency is known.
func (a *amount) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		return nil
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if s == "" {
			return errors.New("an amount is empty text")
		}
		*a = amount(s)
		return nil
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		*a = amount(b)
		return nil
	}
	return fmt.Errorf("amount %.40q is neither text nor a number", b)
}
