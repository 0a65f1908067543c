package amazon

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
)

// upload puts a document where a presigned address wants it.
func (c *client) upload(ctx context.Context, address, contentType string, body []byte) error {
	_, err := c.presigned(ctx, httpx.Call{Op: opUploadFeed, Method: http.MethodPut, URL: address, Body: body,
		Header: http.Header{"Content-Type": {contentType}}})
	return err
}

// download fetches a document from a presigned address.
func (c *client) download(ctx context.Context, address string) ([]byte, error) {
	ans, err := c.presigned(ctx, httpx.Call{Op: opDownloadReport, Method: http.MethodGet, URL: address})
	return ans.Body, err
}

// presigned calls an address that proves itself: no token goes along, and neither the address nor
// what answers there is ever part of an error. It may be repeated. Every failure is Temporary,
// for another address can be asked for: these live five minutes.
func (c *client) presigned(ctx context.Context, call httpx.Call) (httpx.Answer, error) {
	if !c.trusted(call.URL) {
		return httpx.Answer{}, fault.New(fault.Temporary, "amazon %s: the address given is not one to use", call.Op)
	}
	call.Repeat = true
	ans, err := c.http.Do(ctx, call)
	if err != nil {
		return ans, err
	}
	if ans.Status < 200 || ans.Status > 299 {
		return ans, fault.New(fault.Temporary, "amazon %s: answered %d", call.Op, ans.Status)
	}
	return ans, nil
}

// trusted takes https, and the scheme the API itself is configured with.
func (c *client) trusted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	own, _, _ := strings.Cut(c.base, "://")
	return u.Scheme == "https" || u.Scheme == "http" && strings.EqualFold(own, "http")
}
