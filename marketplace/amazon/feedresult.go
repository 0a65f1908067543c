package amazon

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

// maxReport bounds a processing report once it is unpacked. A real one has a few hundred bytes
// for each message.
const maxReport = 16 << 20

// Results says what became of a feed. A feed in work may stay so for good, so waiting is not a
// promise. FATAL means by Amazon's own words that some, none or all messages took effect.
func (a *Adapter) Results(ctx context.Context, name, ticket string, messages []int) (marketplace.Results, error) {
	l, known := lanes[name]
	if !known || ticket == "" {
		return marketplace.Results{}, fault.New(fault.Refused, "amazon %s: lane %q and ticket %q must be given", opGetFeed, name, ticket)
	}
	var f feed
	_, err := a.api.read(ctx, request{op: opGetFeed, method: http.MethodGet, path: feedsPath + "/" + url.PathEscape(ticket), repeat: true}, &f)
	if err != nil {
		return marketplace.Results{}, fault.Wrap(err, "reading feed %s", ticket)
	}
	if f.FeedID != ticket || !strings.EqualFold(f.FeedType, l.feedType) {
		return doubt(messages, "Amazon answered about feed %.40q of type %.60q", f.FeedID, f.FeedType), nil
	}
	switch strings.ToUpper(f.ProcessingStatus) {
	case "DONE":
		return a.verdicts(ctx, f, messages)
	case "CANCELLED":
		return marketplace.Results{State: marketplace.BatchCancelled, Text: "the feed was cancelled before Amazon began with it"}, nil
	case "FATAL":
		return marketplace.Results{State: marketplace.BatchFatal, Text: a.lastWords(ctx, f)}, nil
	}
	return marketplace.Results{State: marketplace.BatchWaiting, Text: clean(f.ProcessingStatus)}, nil
}

// doubt is the end of a batch of which nothing can be said.
func doubt(messages []int, format string, args ...any) marketplace.Results {
	r := marketplace.Results{State: marketplace.BatchDone, Text: clean(fmt.Sprintf(format, args...))}
	for _, n := range messages {
		r.Verdicts = append(r.Verdicts, marketplace.Verdict{Number: n, State: marketplace.VerdictUnknown, Text: r.Text})
	}
	return r
}

func (a *Adapter) verdicts(ctx context.Context, f feed, messages []int) (marketplace.Results, error) {
	if f.ResultFeedDocumentID == "" {
		return doubt(messages, "the feed is done, but Amazon has no report of it"), nil
	}
	raw, err := a.report(ctx, f.ResultFeedDocumentID)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Refused) {
		return doubt(messages, "the feed is done, but its report cannot be had: %v", err), nil
	}
	if err != nil {
		return marketplace.Results{}, fault.Wrap(err, "reading the report of feed %s", f.FeedID)
	}
	return judge(raw, f.FeedID, messages), nil
}

// lastWords is what a report says of a feed that was broken off, as far as there is one.
func (a *Adapter) lastWords(ctx context.Context, f feed) string {
	const text = "Amazon broke the feed off; some, none or all of it may have taken effect"
	if f.ResultFeedDocumentID == "" {
		return text
	}
	raw, err := a.report(ctx, f.ResultFeedDocumentID)
	if err != nil {
		return text
	}
	r, _ := parseReport(raw)
	for _, x := range r.Results {
		if x.Description != "" {
			return text + ": " + clean(x.Description)
		}
	}
	return text
}

// report fetches a processing report and unpacks it. What unpacks to more than maxReport is
// Refused: asking again would not help.
func (a *Adapter) report(ctx context.Context, document string) ([]byte, error) {
	var place struct{ URL string }
	_, err := a.api.read(ctx, request{op: opGetFeedDocument, method: http.MethodGet, repeat: true,
		path: documentsPath + "/" + url.PathEscape(document)}, &place)
	if err != nil {
		return nil, err
	}
	raw, err := a.api.download(ctx, place.URL)
	if err != nil {
		return nil, err
	}
	return unpack(raw, maxReport)
}

// unpack undoes gzip where the bytes are gzip, whatever was said about them: a connection may
// have undone it on the way.
func unpack(raw []byte, most int64) ([]byte, error) {
	if !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fault.New(fault.Refused, "the report cannot be unpacked: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(z, most+1))
	switch {
	case int64(len(plain)) > most:
		return nil, fault.New(fault.Refused, "the report unpacks to more than %d MiB", most>>20)
	case err != nil:
		return plain, nil // cut off; what came tells itself that it does not end
	}
	return plain, nil
}
