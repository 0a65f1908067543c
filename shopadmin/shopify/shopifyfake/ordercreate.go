package shopifyfake

import (
	"fmt"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// orderCreate makes an order. Nothing in it is unique: the same input twice makes two.
func (s *Server) orderCreate(r *run, args map[string]any) any {
	in := args["order"].(map[string]any)
	options, _ := args["options"].(map[string]any)
	if r.fault == FaultDormant {
		return no("order", "SHOP_DORMANT", "The shop is dormant", "order")
	}
	if s.cfg.DevStore && s.tooManyOrders() {
		return no("order", "", "Too many attempts. Please try again later.", "order")
	}
	o, err := s.newOrder(in)
	if err != nil {
		return no("order", "INVALID", err.Error(), "order")
	}
	o.Stock = str(options, "inventoryBehaviour")
	o.SendReceipt, _ = options["sendReceipt"].(bool)
	o.SendShippingReceipt, _ = options["sendFulfillmentReceipt"].(bool)
	if refusal := s.claim(o); refusal != nil {
		return refusal
	}
	s.open(o)
	return yes("order", s.orderObj(o))
}

func (s *Server) tooManyOrders() bool {
	now := s.cfg.Clock()
	s.created = slices.DeleteFunc(s.created, func(t time.Time) bool { return now.Sub(t) >= time.Minute })
	if len(s.created) >= 5 {
		return true
	}
	s.created = append(s.created, now)
	return false
}

// open puts a new order into the store and tells everybody who hears of it.
func (s *Server) open(o *Order) {
	if o.Name == "" {
		s.world.lastName++
		o.Name = fmt.Sprintf("#%d", 1000+s.world.lastName)
	}
	o.ID, o.CreatedAt = s.id("Order"), s.now()
	all := FulfillmentOrder{ID: s.id("FulfillmentOrder"), Status: "OPEN", Location: s.place()}
	for i := range o.Transactions {
		o.Transactions[i].ID, o.Transactions[i].At = s.id("OrderTransaction"), o.CreatedAt
	}
	for i := range o.Lines {
		o.Lines[i].ID = s.id("LineItem")
		all.Lines = append(all.Lines, LineQty{o.Lines[i].ID, o.Lines[i].Quantity})
	}
	o.FulfillmentOrders = []FulfillmentOrder{all}
	s.world.orders = append(s.world.orders, o)
	s.touch(o)
	if o.SendReceipt {
		s.tell(o, "order receipt")
	}
	s.world.notices = append(s.world.notices, Notification{o.ID, o.Name, "New order " + o.Name + " for " + o.Total.String(), o.CreatedAt})
	event := s.event()
	s.push(event, "ORDERS_CREATE", s.restOrder(o))
	s.push(event, "ORDERS_UPDATED", s.restOrder(o))
}

// newOrder reads the input; an error is the store's refusal.
func (s *Server) newOrder(in map[string]any) (*Order, error) {
	o := &Order{Name: str(in, "name"), ProcessedAt: str(in, "processedAt"), Tags: texts(in, "tags"), SourceName: str(in, "sourceName"),
		SourceIdentifier: str(in, "sourceIdentifier"), SourceURL: str(in, "sourceUrl"), Note: str(in, "note"), PONumber: str(in, "poNumber"),
		Email: str(in, "email"), Phone: str(in, "phone"), Attributes: attributes(in, "customAttributes", "key"), Currency: str(in, "currency"),
		Metafields: map[string]string{}}
	o.Test, _ = in["test"].(bool)
	o.ShipTo, _ = in["shippingAddress"].(map[string]any)
	if o.Currency == "" {
		o.Currency = s.cfg.Currency
	}
	if customer, ok := in["customer"].(map[string]any); ok {
		if c, ok := customer["toUpsert"].(map[string]any); ok && o.Email == "" {
			o.Email, o.Phone = str(c, "email"), str(c, "phone")
		}
	}
	slices.Sort(o.Tags)
	for _, m := range objects(in, "metafields") {
		name := str(m, "namespace") + "." + str(m, "key")
		if str(m, "type") == "id" && !slices.Contains(s.world.definitions, name) {
			return nil, fmt.Errorf("metafields of type id need a definition: %s", name)
		}
		o.Metafields[name] = str(m, "value")
	}
	if err := s.newLines(o, in); err != nil {
		return nil, err
	}
	return o, o.charge(in)
}

func (s *Server) newLines(o *Order, in map[string]any) error {
	lines := objects(in, "lineItems")
	if len(lines) == 0 || len(lines) > 250 {
		return fmt.Errorf("%d line items", len(lines))
	}
	for _, l := range lines {
		n, _ := toInt(l["quantity"])
		line := Line{SKU: str(l, "sku"), Title: str(l, "title"), VariantID: str(l, "variantId"), Quantity: n, Current: n, Unshipped: n,
			Attributes: attributes(l, "properties", "name")}
		line.RequiresShipping, _ = l["requiresShipping"].(bool)
		if n <= 0 {
			return fmt.Errorf("quantity must be greater than 0")
		}
		if line.VariantID != "" {
			v := s.variant(line.VariantID)
			if v == nil {
				return fmt.Errorf("variant %s does not exist", line.VariantID)
			}
			line.Title = v.title
			if line.SKU == "" {
				line.SKU = v.sku
			}
		} else if line.Title == "" {
			return fmt.Errorf("title can't be blank")
		}
		var err error
		if line.Price, err = amount(l, "priceSet", o.Currency); err != nil {
			return err
		}
		if line.Taxes, err = taxes(l, o.Currency); err != nil {
			return err
		}
		o.Lines = append(o.Lines, line)
	}
	return nil
}

// charge adds shipping, discount and payment, and works out the total.
func (o *Order) charge(in map[string]any) (err error) {
	var parts []money.Money
	for _, l := range o.Lines {
		whole, err := l.Price.Mul(int64(l.Quantity))
		if err != nil {
			return err
		}
		parts = append(parts, whole)
		for _, t := range l.Taxes {
			parts = append(parts, t.Amount)
		}
	}
	for _, m := range objects(in, "shippingLines") {
		c := Charge{Title: str(m, "title"), Code: str(m, "code")}
		if c.Price, err = amount(m, "priceSet", o.Currency); err != nil {
			return err
		}
		if c.Taxes, err = taxes(m, o.Currency); err != nil {
			return err
		}
		parts = append(parts, c.Price)
		for _, t := range c.Taxes {
			parts = append(parts, t.Amount)
		}
		o.Shipping = append(o.Shipping, c)
	}
	if d, ok := in["discountCode"].(map[string]any); ok {
		fixed, _ := d["itemFixedDiscountCode"].(map[string]any)
		if o.Discount, err = amount(fixed, "amountSet", o.Currency); err != nil {
			return err
		}
		parts = append(parts, o.Discount.Neg())
	}
	if o.Total, err = money.Sum(parts...); err != nil {
		return err
	}
	for _, t := range objects(in, "transactions") {
		paid, err := amount(t, "amountSet", o.Currency)
		if err != nil {
			return err
		}
		if o.Paid, err = o.Paid.Add(paid); err != nil {
			return err
		}
		o.Gateway = str(t, "gateway")
		o.Transactions = append(o.Transactions, Transaction{Kind: str(t, "kind"), Status: str(t, "status"), Gateway: o.Gateway, Amount: paid})
	}
	return nil
}

// amount reads a money bag; none is zero.
func amount(m map[string]any, key, currency string) (money.Money, error) {
	set, ok := m[key].(map[string]any)
	if !ok {
		return money.New(0, currency), nil
	}
	shop, _ := set["shopMoney"].(map[string]any)
	v, err := money.Parse(str(shop, "amount"), str(shop, "currencyCode"))
	if err == nil && v.Currency != currency {
		err = fmt.Errorf("currency %s does not match the order's %s", v.Currency, currency)
	}
	return v, err
}

func taxes(m map[string]any, currency string) ([]Tax, error) {
	var out []Tax
	for _, t := range objects(m, "taxLines") {
		v, err := amount(t, "priceSet", currency)
		if err != nil {
			return nil, err
		}
		tax := Tax{Title: str(t, "title"), Rate: str(t, "rate"), Amount: v}
		tax.ChannelLiable, _ = t["channelLiable"].(bool)
		out = append(out, tax)
	}
	return out, nil
}

// claim takes the lines from stock as asked; an unwilling stock refuses the order.
func (s *Server) claim(o *Order) any {
	if o.Stock == "DECREMENT_OBEYING_POLICY" {
		for _, l := range o.Lines {
			if l.VariantID != "" && s.world.stock[l.VariantID] < l.Quantity {
				return no("order", "INVENTORY_CLAIM_FAILED", "Unable to claim inventory", "order", "lineItems")
			}
		}
	}
	if o.Stock == "BYPASS" || o.Stock == "" {
		return nil
	}
	for _, l := range o.Lines {
		if l.VariantID != "" {
			s.world.stock[l.VariantID] -= l.Quantity
		}
	}
	return nil
}

func (s *Server) variant(id string) *variant {
	for i := range s.world.variants {
		if s.world.variants[i].id == id {
			return &s.world.variants[i]
		}
	}
	return nil
}
