package payout

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// Importer is the one way by which payout files come into the books, wherever they come from.
type Importer struct {
	Store connector.Payouts
	Clock connector.Clock
	Log   *slog.Logger
	// Formats are the forms a channel's files may have.
	Formats func(account connector.ConnectionID) []marketplace.StatementFormat
	// Progress is told how many lines were read, now and then; nil: nobody is.
	Progress func(lines int)
}

// File is a payout file on its way in.
type File struct {
	Account connector.ConnectionID
	Name    string // for people
	Origin  string // pull, api, command, folder
	By      string
	Format  string // the form it has; "": it is recognised by its contents
	Body    io.Reader
}

// Imported is what became of a file.
type Imported struct {
	Source connector.PayoutSource `json:"source"`
	Payout connector.Payout       `json:"payout"`
	Fresh  bool                   `json:"fresh"` // false: the books held all of it already
	// Unclassified is how many lines say something nobody has mapped yet.
	Unclassified int      `json:"unclassified_lines,omitempty"`
	Against      *Against `json:"difference,omitempty"` // nil: it is the first revision, or no new one
}

// Against is by what a payout that was issued anew is another than before.
type Against struct {
	Revision int `json:"revision"` // the one before
	connector.LineDifference
	Sum string `json:"lines_sum"` // by how much more the lines come to
}

// RejectedError says that a file cannot be understood. Its bytes are kept; nothing of it counts.
type RejectedError struct {
	Hash string
	Err  error // a *marketplace.RowError where a row is to blame
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("the file (sha256 %.12s…) is kept but not imported: %v", e.Hash, e.Err)
}

func (e *RejectedError) Unwrap() error { return e.Err }

// Import keeps a file's bytes and brings its payout into the books, whole or not at all. The same
// file again changes nothing.
func (i *Importer) Import(ctx context.Context, f File) (Imported, error) {
	if out, known, err := i.before(ctx, f); known || err != nil {
		return out, err
	}
	src, fresh, err := i.Store.KeepSource(ctx, connector.PayoutSource{Account: f.Account, Name: f.Name, Origin: f.Origin, By: f.By, KeptAt: i.Clock()}, f.Body)
	if err != nil {
		return Imported{}, fmt.Errorf("keeping the payout file %s: %w", f.Name, err)
	}
	if !fresh {
		if out, known, err := i.again(ctx, src, f.Format); known || err != nil {
			return out, err
		}
	}
	out, err := i.read(ctx, src, f.Format)
	var bad *RejectedError
	switch {
	case errors.As(err, &bad):
		src.State, src.Reason = connector.SourceRejected, bad.Err.Error()
	case err != nil:
		return Imported{Source: src}, err
	default:
		src.State, src.Reason, src.Format = connector.SourceImported, "", out.Source.Format
		if out.Payout.Source != src.Hash {
			src.Reason = sameAs + out.Payout.Source
		}
	}
	if err := i.Store.SettleSource(ctx, f.Account, src.Hash, src.State, src.Format, src.Reason); err != nil {
		return Imported{Source: src}, fmt.Errorf("noting what became of the payout file %s: %w", f.Name, err)
	}
	out.Source = src
	var unread error
	if out.Against, unread = i.against(ctx, out); unread != nil {
		return out, errors.Join(err, unread)
	}
	i.tell(out, err)
	return out, err
}

// against compares a payout that was issued anew with the revision before.
func (i *Importer) against(ctx context.Context, out Imported) (*Against, error) {
	if !out.Fresh || out.Payout.Revision < 2 {
		return nil, nil
	}
	p := out.Payout
	all, err := i.Store.PayoutList(ctx, connector.PayoutFilter{Accounts: []connector.ConnectionID{p.Account}, External: []string{p.External}, All: true})
	if err != nil {
		return nil, fmt.Errorf("the revisions of payout %s: %w", p.External, err)
	}
	for _, old := range all {
		if old.Revision != p.Revision-1 {
			continue
		}
		d, err := i.Store.Difference(ctx, old.ID, p.ID)
		if err != nil {
			return nil, fmt.Errorf("payout %s against its revision %d: %w", p.External, old.Revision, err)
		}
		more := money.New(p.Sum.Minor-old.Sum.Minor, p.Currency) // both are bounded
		if old.Currency != p.Currency {
			more = p.Sum
		}
		return &Against{old.Revision, d, more.Decimal()}, nil
	}
	return nil, nil
}

// before tells of a file that was imported before, where that can be seen by reading it twice: its
// bytes need not be sent to the store again then.
func (i *Importer) before(ctx context.Context, f File) (Imported, bool, error) {
	body, ok := f.Body.(io.ReadSeeker)
	if !ok {
		return Imported{}, false, nil
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil { // a pipe
		return Imported{}, false, nil
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, body); err != nil {
		return Imported{}, false, fmt.Errorf("reading the payout file %s: %w", f.Name, err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return Imported{}, false, fmt.Errorf("reading the payout file %s again: %w", f.Name, err)
	}
	src, err := i.Store.Source(ctx, f.Account, hex.EncodeToString(hash.Sum(nil)))
	if errors.Is(err, connector.ErrSourceMissing) {
		return Imported{}, false, nil
	}
	if err != nil {
		return Imported{}, false, fmt.Errorf("looking whether the payout file %s is known: %w", f.Name, err)
	}
	return i.again(ctx, src, f.Format)
}

// again tells of a file whose payout is in the books already, and notes so where a crash had come in
// between: read once more, it would supersede what has been issued since.
func (i *Importer) again(ctx context.Context, src connector.PayoutSource, named string) (Imported, bool, error) {
	out, err := i.known(ctx, src)
	if err != nil || out.Payout.ID == 0 || src.State == connector.SourceImported {
		return out, out.Payout.ID != 0, err
	}
	src.State, src.Reason = connector.SourceImported, ""
	format, _, body, err := i.open(ctx, src, named)
	var bad *RejectedError
	switch {
	case err == nil:
		_ = body.Close()
		src.Format = format.Name()
	case !errors.As(err, &bad): // else its form is known no more, which does not matter: it was read
		return out, false, err
	}
	if err := i.Store.SettleSource(ctx, src.Account, src.Hash, src.State, src.Format, src.Reason); err != nil {
		return out, false, fmt.Errorf("noting what became of the payout file %s: %w", src.Name, err)
	}
	out.Source = src
	return out, true, nil
}

// sameAs is what is noted of a file that says the same as another, whose hash follows.
const sameAs = "it says the same as the file "

// known is the payout a file was imported as before, or another file that says the same; none when it
// was not.
func (i *Importer) known(ctx context.Context, src connector.PayoutSource) (Imported, error) {
	all, err := i.Store.PayoutList(ctx, connector.PayoutFilter{Accounts: []connector.ConnectionID{src.Account}, All: true})
	if err != nil {
		return Imported{Source: src}, err
	}
	out := Imported{Source: src}
	same, _ := strings.CutPrefix(src.Reason, sameAs)
	for _, p := range all {
		if p.Source == src.Hash || src.State == connector.SourceImported && p.Source == same {
			out.Payout = p
		}
	}
	return out, nil
}

// read brings a kept file into the books.
func (i *Importer) read(ctx context.Context, src connector.PayoutSource, named string) (Imported, error) {
	out := Imported{Source: src}
	format, text, body, err := i.open(ctx, src, named)
	if err != nil {
		return out, err
	}
	defer func() { _ = body.Close() }()
	out.Source.Format = format.Name()
	var unread error // the file's fault, not the store's
	out.Payout, out.Fresh, err = i.Store.ImportPayout(ctx, i.Clock, func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error {
		n := 0
		var stored error
		var of measure
		unread = sound{format}.ReadStatement(text, func(s marketplace.Statement) error {
			if err := of.head(s); err != nil {
				return err
			}
			stored = head(payoutOf(src, s))
			return stored
		}, func(m marketplace.Movement) error {
			if err := of.line(m); err != nil {
				return err
			}
			if !m.Category.Known() || m.Category == marketplace.Unclassified {
				m.Category = marketplace.Unclassified
				out.Unclassified++
			}
			if n++; n%50_000 == 0 && i.Progress != nil {
				i.Progress(n)
			}
			stored = line(lineOf(m))
			return stored
		})
		if stored != nil {
			unread = nil
			return stored
		}
		return unread
	})
	if unread != nil {
		return Imported{Source: src}, &RejectedError{src.Hash, unread}
	}
	if errors.Is(err, connector.ErrLineTwice) {
		return Imported{Source: src}, &RejectedError{src.Hash, err}
	}
	if err != nil {
		return Imported{Source: src}, fmt.Errorf("importing the payout file %s: %w", src.Name, err)
	}
	return out, nil
}

// open opens a kept file and recognises its form; a *RejectedError where it has none. The body is for
// the caller to close.
func (i *Importer) open(ctx context.Context, src connector.PayoutSource, named string) (marketplace.StatementFormat, *bufio.Reader, io.Closer, error) {
	body, err := i.Store.OpenSource(ctx, src.Account, src.Hash)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("reading a kept payout file: %w", err)
	}
	text, err := unpacked(body, src.Size)
	var format marketplace.StatementFormat
	if err == nil {
		format, err = recognise(i.Formats(src.Account), named, text)
	}
	if err != nil {
		_ = body.Close()
		return nil, nil, nil, &RejectedError{src.Hash, err}
	}
	return format, text, body, nil
}

// mostOfPayout bounds what the magnitudes of one payout's lines come to, in minor units.
const mostOfPayout = 10 * mostAmount

// measure refuses a payout with amounts no channel pays: a line cannot be taken out again, and sums
// that do not fit would stop every report.
type measure struct {
	lines int
	sum   int64 // of magnitudes
}

func (m *measure) head(s marketplace.Statement) error {
	for _, of := range []money.Money{s.Opening, s.Closing, s.Paid} {
		if !plausible(of.Minor) {
			return fmt.Errorf("the payout's amount %s is far beyond what a channel pays", of)
		}
	}
	return nil
}

func (m *measure) line(v marketplace.Movement) error {
	m.lines++
	if !plausible(v.Amount.Minor) {
		return fmt.Errorf("line %d: the amount %s is far beyond what a channel pays", m.lines, v.Amount)
	}
	if m.sum += max(v.Amount.Minor, -v.Amount.Minor); m.sum > mostOfPayout {
		return fmt.Errorf("line %d: together the lines are far beyond what a channel pays", m.lines)
	}
	return nil
}

// recognise picks the form of a file: the one named, else the only one that fits its contents.
func recognise(formats []marketplace.StatementFormat, named string, text *bufio.Reader) (marketplace.StatementFormat, error) {
	head, err := text.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	var fits []marketplace.StatementFormat
	var names []string
	for _, f := range formats {
		names = append(names, f.Name())
		if f.Name() == named || named == "" && f.Detects(head) {
			fits = append(fits, f)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(formats) == 0:
		return nil, errors.New("this channel has no form of payout files; configure a mapping for it")
	case named != "":
		return nil, fmt.Errorf("this channel has no form of payout files called %q; it has %s", named, strings.Join(names, ", "))
	case len(head) == 0:
		return nil, errors.New("the file is empty")
	case len(fits) > 1:
		return nil, fmt.Errorf("the file could be of several forms; say which of them: %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("the file is of none of this channel's forms (%s)", strings.Join(names, ", "))
}

// headBytes is how much of a file is looked at to recognise it.
const headBytes = 64 << 10

// Bounds of what a compressed file may unpack to: a payout file is text and shrinks to a tenth
// or a fiftieth, not to a thousandth.
const (
	freeBytes = 64 << 20
	mostRatio = 250
)

// unpacked reads a file that may be compressed.
func unpacked(r io.Reader, size int64) (*bufio.Reader, error) {
	raw := bufio.NewReaderSize(r, headBytes)
	magic, err := raw.Peek(2)
	if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return raw, nil
	}
	z, err := gzip.NewReader(raw)
	if err != nil {
		return nil, fmt.Errorf("unpacking the file: %w", err)
	}
	return bufio.NewReaderSize(&bounded{r: z, left: max(freeBytes, size*mostRatio)}, headBytes), nil
}

// bounded refuses to unpack without end.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errors.New("the file unpacks to far more than a payout file would")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("unpacking the file: %w", err)
	}
	return n, err
}

func payoutOf(src connector.PayoutSource, s marketplace.Statement) connector.Payout {
	return connector.Payout{Account: src.Account, External: s.ID, Currency: s.Currency, Start: s.Start, End: s.End, State: connector.PayoutState(s.State),
		PaidAt: s.PaidAt, Opening: s.Opening, Closing: s.Closing, Paid: s.Paid, Declared: s.Lines, BankRef: s.BankRef, Source: src.Hash}
}

func lineOf(m marketplace.Movement) connector.PayoutLine {
	l := connector.PayoutLine{Category: string(m.Category), NativeType: m.NativeType, NativeText: m.NativeText, Amount: m.Amount,
		Order: string(m.Order), Alias: m.Alias, Item: m.Item, Refund: m.Refund, Shipment: m.Shipment, SKU: m.SKU, Quantity: m.Quantity, PostedAt: m.PostedAt}
	if m.Key != "" {
		l.Key = connector.ChannelKey(m.Key)
	} else {
		l.Key = keyOf(l)
	}
	return l
}

// keyOf names a line that the channel has no number for by its fields.
func keyOf(l connector.PayoutLine) string {
	b := make([]byte, 0, 256)
	for _, text := range []string{l.Category, l.NativeType, l.NativeText, l.Amount.Currency, l.Order, l.Alias, l.Item, l.Refund, l.Shipment, l.SKU} {
		b = append(append(b, text...), 0x1f)
	}
	for _, n := range []int64{l.Amount.Minor, int64(l.Quantity), l.PostedAt.UnixMicro()} {
		b = append(strconv.AppendInt(b, n, 10), 0x1f)
	}
	sum := sha256.Sum256(b)
	return connector.MadeKey(hex.EncodeToString(sum[:16]))
}

// tell logs what became of a file, without anything from inside it but numbers.
func (i *Importer) tell(out Imported, err error) {
	if i.Log == nil {
		return
	}
	attrs := []any{"account", out.Source.Account, "hash", out.Source.Hash, "origin", out.Source.Origin}
	if err != nil {
		i.Log.Warn("payout file rejected", append(attrs, "reason", err.Error())...)
		return
	}
	gap, _ := out.Payout.Gap()
	if d := out.Against; d != nil {
		attrs = append(attrs, "added", d.Added, "gone", d.Gone, "changed", d.Changed)
	}
	attrs = append(attrs, "payout", out.Payout.External, "revision", out.Payout.Revision, "lines", out.Payout.Lines, "fresh", out.Fresh)
	switch {
	case gap.Minor != 0:
		i.Log.Warn("payout imported, but its lines do not add up", append(attrs, "gap", gap.String())...)
	case out.Unclassified > 0:
		i.Log.Warn("payout imported with lines nobody has classified", append(attrs, "unclassified", out.Unclassified)...)
	default:
		i.Log.Info("payout imported", attrs...)
	}
}
