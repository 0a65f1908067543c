package feedschema

import (
	"fmt"
	"slices"

	"channelbridge/internal/money"
)

// Check reads a feed and says what Amazon would refuse of the whole document. It returns the
// document's messages.
func Check(raw []byte) (*Node, error) {
	root, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	if root.Name != "AmazonEnvelope" {
		return nil, fmt.Errorf("the root is %s", root.Name)
	}
	if err := envelope.fits(root); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, m := range root.All("Message") {
		body := m.Children[1]
		if body.Name != root.Value("MessageType") {
			return nil, fmt.Errorf("a message of %s in a feed of %s", body.Name, root.Value("MessageType"))
		}
		for _, key := range []string{"message " + m.Value("MessageID"), "order " + body.Value("AmazonOrderID")} {
			if seen[key] {
				return nil, fmt.Errorf("%s occurs twice", key)
			}
			seen[key] = true
		}
		if err := content(body); err != nil {
			return nil, fmt.Errorf("message %s: %w", m.Value("MessageID"), err)
		}
	}
	return root, nil
}

// content checks one message by its kind and action.
func content(body *Node) error {
	if body.Name == "OrderAcknowledgement" {
		if err := acknowledgement.fits(body); err != nil {
			return err
		}
		for _, i := range body.All("Item") {
			if body.Value("StatusCode") == "Failure" && i.Value("CancelReason") == "" {
				return fmt.Errorf("item %s fails without a reason", i.Value("AmazonOrderItemCode"))
			}
		}
		return nil
	}
	if err := adjustment.fits(body); err != nil {
		return err
	}
	if body.Value("ActionType") == "Cancel" {
		return cancels(body)
	}
	return Net(body)
}

func cancels(body *Node) error {
	for _, i := range body.All("AdjustedItem") {
		switch reason := i.Value("AdjustmentReason"); {
		case i.Child("QuantityCancelled") == nil:
			return fmt.Errorf("a cancellation without QuantityCancelled")
		case i.Child("ItemPriceAdjustments") != nil:
			return fmt.Errorf("a cancellation with amounts")
		case !slices.Contains([]string{"NoInventory", "CustomerCancel"}, reason):
			return fmt.Errorf("a cancellation because of %s", reason)
		}
	}
	return nil
}

// Net checks that a refund has amounts of one currency, with no more decimals than it has, which
// come to more than nothing.
func Net(body *Node) error {
	var sum money.Money
	for _, i := range body.All("AdjustedItem") {
		prices := i.Child("ItemPriceAdjustments")
		if prices == nil || i.Child("QuantityCancelled") != nil {
			return fmt.Errorf("a refund needs amounts and cancels nothing")
		}
		for _, c := range prices.All("Component") {
			m, err := Amount(c)
			if err != nil {
				return err
			}
			if sum, err = sum.Add(m); err != nil {
				return err
			}
		}
	}
	if sum.Minor <= 0 {
		return fmt.Errorf("the message comes to %s", sum)
	}
	return nil
}

// Amount is the amount of a component.
func Amount(component *Node) (money.Money, error) {
	a := component.Child("Amount")
	text, code := a.Text, a.Attrs["currency"]
	if money.Exponent(code) == 0 && slices.Contains([]byte(text), '.') {
		return money.Money{}, fmt.Errorf("%s has no decimals", code)
	}
	return money.Parse(text, code)
}
