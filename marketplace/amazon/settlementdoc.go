package amazon

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/internal/httpx"
)

const (
	reportDocumentsPath = "/reports/2021-06-30/documents"
	// partSize is how much of a document is asked for at once. Less than httpx reads of an answer.
	partSize = 4 << 20
)

// OpenStatement fetches a document as Amazon keeps it: GZIP or plain, which its first bytes tell.
// It is fetched in parts while it is read, so that ctx has to live as long as the reader. An
// address lives five minutes; a reader that takes longer asks for another one.
//
// Source: getReportDocument of Reports v2021-06-30.
func (a *Adapter) OpenStatement(ctx context.Context, id string) (io.ReadCloser, error) {
	if id == "" {
		return nil, fault.New(fault.Refused, "amazon %s: the document id is empty", opGetReportDocument)
	}
	d := &reportDocument{ctx: ctx, api: a.api, id: id}
	if err := d.fetch(); err != nil {
		return nil, err
	}
	return d, nil
}

// reportDocument is a document being read.
type reportDocument struct {
	ctx     context.Context // of the reader, as http's own bodies have one
	api     *client
	id      string
	address string // presigned

	part bytes.Reader
	at   int64 // bytes fetched
	size int64
	tag  string // of the storage: another one is another document
	done bool
	shut bool
}

// Read implements io.Reader.
func (d *reportDocument) Read(p []byte) (int, error) {
	if d.shut {
		return 0, fs.ErrClosed
	}
	for d.part.Len() == 0 {
		if d.done {
			return 0, io.EOF
		}
		if err := d.fetch(); err != nil {
			return 0, err
		}
	}
	return d.part.Read(p)
}

// Close implements io.Closer.
func (d *reportDocument) Close() error {
	d.shut = true
	d.part.Reset(nil)
	return nil
}

// fetch gets the next part, under a new address if the one at hand has ended.
func (d *reportDocument) fetch() error {
	if d.address != "" && d.next() == nil {
		return nil
	}
	err := d.locate()
	if err == nil {
		err = d.next()
	}
	return fault.Wrap(err, "reading report document %s", d.id)
}

func (d *reportDocument) locate() error {
	var place struct{ URL string }
	_, err := d.api.read(d.ctx, request{op: opGetReportDocument, method: http.MethodGet, repeat: true,
		path: reportDocumentsPath + "/" + url.PathEscape(d.id)}, &place)
	d.address = place.URL
	return err
}

func (d *reportDocument) next() error {
	ans, err := d.api.presigned(d.ctx, httpx.Call{Op: opDownloadStatement, Method: http.MethodGet, URL: d.address,
		Header: http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", d.at, d.at+partSize-1)}, "Accept-Encoding": {"identity"}}})
	if err != nil {
		return err
	}
	first, size := d.span(ans)
	tag := ans.Header.Get("Etag")
	end := first + int64(len(ans.Body))
	if first != d.at || end > size || end == first && end < size || d.at > 0 && (size != d.size || tag != d.tag) {
		return fault.New(fault.Temporary, "amazon %s: the part from byte %d does not fit the parts before", opDownloadStatement, d.at)
	}
	d.part.Reset(ans.Body)
	d.at, d.size, d.tag, d.done = end, size, tag, end == size
	return nil
}

// span says where an answer begins and how long the document is; -1 when it does not tell. A
// storage that knows no parts sends the whole.
func (d *reportDocument) span(ans httpx.Answer) (first, size int64) {
	if ans.Status == http.StatusOK {
		return 0, int64(len(ans.Body))
	}
	text, _ := strings.CutPrefix(ans.Header.Get("Content-Range"), "bytes ")
	from, total, _ := strings.Cut(text, "/")
	from, _, _ = strings.Cut(from, "-")
	first, errFirst := strconv.ParseInt(from, 10, 64)
	size, errSize := strconv.ParseInt(total, 10, 64)
	if ans.Status != http.StatusPartialContent || errFirst != nil || errSize != nil {
		return -1, -1
	}
	return first, size
}
