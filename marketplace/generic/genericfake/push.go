package genericfake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
)

// Signed returns the push of an order as it is now. Each version of an order has one delivery
// id, so that pushing it again is a repetition.
func (c *Channel) Signed(id string) (marketplace.Inbound, error) {
	o, ok := c.Order(id)
	if !ok {
		return marketplace.Inbound{}, fmt.Errorf("no order %s", id)
	}
	body, err := json.Marshal(o)
	if err != nil {
		return marketplace.Inbound{}, err
	}
	h, err := generic.Sign(c.cfg.Secret, fmt.Sprintf("msg_%s_%d", id, o.UpdatedAt.UnixNano()), c.cfg.Clock(), body)
	return marketplace.Inbound{Header: h, Body: body}, err
}

// Push sends the order to an address and returns the status of the answer.
func (c *Channel) Push(ctx context.Context, to *http.Client, address, id string) (int, error) {
	in, err := c.Signed(id)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(in.Body))
	if err != nil {
		return 0, err
	}
	req.Header = in.Header
	resp, err := to.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
