package rig

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"channelbridge/marketplace/generic/genericfake"
)

// PlaceVast places an order with more lines than the store takes.
func (m *Market) PlaceVast() string {
	var o genericfake.Order
	for i := range 300 {
		o.Lines = append(o.Lines, genericfake.Line{ID: strconv.Itoa(i + 1), SKU: "MANY", Title: "One of many", Quantity: 1, Price: "1.00"})
	}
	return m.Place(o)
}

// PlaceStrange places an order in a state nobody has heard of.
func (m *Market) PlaceStrange() string { return m.Place(genericfake.Order{Status: "levitating"}) }

// Garbled is a push with a good signature whose body is no order.
func Garbled(id string) Message {
	return signed(id, []byte(`{"id": "G-BAD", "lines": "none of your business"}`))
}

// Metric reads one value without labels from a page of metrics.
func Metric(ctx context.Context, url, name string) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("%s does not tell %s", url, name)
}
