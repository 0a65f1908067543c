package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"testing/iotest"
	"time"

	"channelbridge/connector"
)

// manyBytes differ from place to place, so that chunks out of order would be seen.
func manyBytes(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func file(name string) connector.PayoutSource {
	return connector.PayoutSource{Account: channel, Name: name, Origin: "folder", By: "ops", KeptAt: noon}
}

func (s *story) keepFile(f connector.PayoutSource, body []byte) (connector.PayoutSource, bool) {
	s.Helper()
	kept, fresh, err := s.store.KeepSource(s.ctx, f, bytes.NewReader(body))
	s.NoError(err)
	return kept, fresh
}

func (s *story) bytesOf(account connector.ConnectionID, hash string) []byte {
	s.Helper()
	r, err := s.store.OpenSource(s.ctx, account, hash)
	s.NoError(err)
	all, err := io.ReadAll(r)
	s.NoError(err)
	s.NoError(r.Close())
	return all
}

func (s *story) files(account connector.ConnectionID, limit int) (names []string) {
	s.Helper()
	all, err := s.store.PayoutSources(s.ctx, account, limit)
	s.NoError(err)
	for _, f := range all {
		names = append(names, f.Name)
	}
	return names
}

var payoutFiles = []chapter{
	{"a payout file comes back byte for byte, whatever its size", func(s *story) {
		const chunk = 256 << 10
		for _, size := range []int{0, 1, 1000, chunk - 1, chunk, chunk + 1, 3 * chunk, 3*chunk + 77} {
			body := manyBytes(size)
			sum := sha256.Sum256(body)
			f := file("settlement.txt")
			f.Hash = "what the caller says does not count"
			kept, fresh := s.keepFile(f, body)
			s.True(fresh)
			f.Hash, f.Size, f.State = hex.EncodeToString(sum[:]), int64(size), connector.SourceKept
			s.Equal(f, kept)
			s.True(bytes.Equal(body, s.bytesOf(channel, f.Hash)), size)
		}
		s.Len(s.files(channel, 0), 8)
	}},
	{"a file is read in any steps, and by several at once", func(s *story) {
		body := manyBytes(600 << 10)
		kept, _ := s.keepFile(file("f"), body)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				r, err := s.store.OpenSource(s.ctx, channel, kept.Hash)
				s.check(err == nil, err)
				got, err := io.ReadAll(iotest.HalfReader(r))
				s.check(err == nil && bytes.Equal(body, got), err)
			})
		}
		all.Wait()
	}},
	{"the same bytes again are the file that is there", func(s *story) {
		for _, size := range []int{10, 600 << 10} {
			body := manyBytes(size)
			kept, _ := s.keepFile(file("first"), body)
			s.NoError(s.store.SettleSource(s.ctx, channel, kept.Hash, connector.SourceImported, "amazon-settlement-v2", ""))
			again := file("second")
			again.KeptAt = later(time.Hour)
			got, fresh := s.keepFile(again, body)
			s.False(fresh)
			kept.State, kept.Format = connector.SourceImported, "amazon-settlement-v2"
			s.Equal(kept, got)
			s.True(bytes.Equal(body, s.bytesOf(channel, kept.Hash)))

			theirs := file("theirs")
			theirs.Account = "amazon-fr"
			_, fresh = s.keepFile(theirs, body)
			s.True(fresh, "another account's file is another file")
		}
		s.Equal([]string{"first", "first"}, s.files(channel, 10))
	}},
	{"the same bytes from many at once are one file", func(s *story) {
		for _, size := range []int{10, 300 << 10} {
			body := manyBytes(size)
			var all sync.WaitGroup
			var lock sync.Mutex
			news := 0
			for range 6 {
				all.Go(func() {
					_, fresh, err := s.store.KeepSource(s.ctx, file("f"), bytes.NewReader(body))
					s.check(err == nil, err)
					lock.Lock()
					defer lock.Unlock()
					if fresh {
						news++
					}
				})
			}
			all.Wait()
			s.Equal(1, news)
		}
		s.Len(s.files(channel, 10), 2)
	}},
	{"a body that breaks off leaves nothing", func(s *story) {
		for _, size := range []int{0, 10, 256 << 10, 600 << 10} {
			body := manyBytes(size)
			sum := sha256.Sum256(body)
			for _, cut := range []error{errTorn, io.ErrUnexpectedEOF} {
				_, fresh, err := s.store.KeepSource(s.ctx, file("cut"), io.MultiReader(bytes.NewReader(body), iotest.ErrReader(cut)))
				s.ErrorIs(err, cut)
				s.False(fresh)
			}
			s.Empty(s.files("", 10))
			_, err := s.store.OpenSource(s.ctx, channel, hex.EncodeToString(sum[:]))
			s.ErrorIs(err, connector.ErrSourceMissing)
		}
		_, fresh := s.keepFile(file("whole"), manyBytes(600<<10))
		s.True(fresh)
	}},
	{"keeping a file ends with its context", func(s *story) {
		ctx, stop := context.WithCancel(s.ctx)
		_, _, err := s.store.KeepSource(ctx, file("f"), io.MultiReader(bytes.NewReader(manyBytes(600<<10)), stopping(stop), strings.NewReader("x")))
		s.ErrorIs(err, context.Canceled)
		s.Empty(s.files("", 10))
	}},
	{"a file that is still coming is seen by nobody", func(s *story) {
		r, w := io.Pipe()
		done := make(chan error, 1)
		go func() {
			_, _, err := s.store.KeepSource(s.ctx, file("slow"), r)
			done <- err
		}()
		_, err := w.Write(manyBytes(600 << 10))
		s.NoError(err)
		s.Empty(s.files("", 10))
		s.NoError(s.store.Touch(s.ctx, noon, connector.Touch{Subject: order("A"), Side: connector.Market}), "and nobody waits for it")
		s.NoError(w.Close())
		s.NoError(<-done)
		s.Equal([]string{"slow"}, s.files("", 10))
	}},
	{"what became of a file is told, and of an unknown one that it is missing", func(s *story) {
		kept, _ := s.keepFile(file("f"), []byte("order-id\tamount\n"))
		s.NoError(s.store.SettleSource(s.ctx, channel, kept.Hash, connector.SourceRejected, "", "row 7, column amount: \"1,2,3\" is no amount"))
		all, err := s.store.PayoutSources(s.ctx, channel, 1)
		s.NoError(err)
		kept.State, kept.Reason = connector.SourceRejected, "row 7, column amount: \"1,2,3\" is no amount"
		s.Equal([]connector.PayoutSource{kept}, all)
		s.NotEmpty(s.bytesOf(channel, kept.Hash), "rejected bytes stay")

		found, err := s.store.Source(s.ctx, channel, kept.Hash)
		s.NoError(err)
		s.Equal(kept, found)
		_, err = s.store.Source(s.ctx, "amazon-fr", kept.Hash)
		s.ErrorIs(err, connector.ErrSourceMissing)
		_, err = s.store.Source(s.ctx, channel, "")
		s.ErrorIs(err, connector.ErrSourceMissing)

		s.ErrorIs(s.store.SettleSource(s.ctx, "amazon-fr", kept.Hash, connector.SourceImported, "", ""), connector.ErrSourceMissing)
		_, err = s.store.OpenSource(s.ctx, "amazon-fr", kept.Hash)
		s.ErrorIs(err, connector.ErrSourceMissing)
		_, err = s.store.OpenSource(s.ctx, channel, "")
		s.ErrorIs(err, connector.ErrSourceMissing)
	}},
	{"files are listed newest first", func(s *story) {
		for i, name := range []string{"b", "c", "a", "d"} {
			f := file(name)
			f.KeptAt = later(time.Duration(map[string]int{"a": 1, "b": 2, "c": 3, "d": 3}[name]) * time.Hour)
			if i == 0 {
				f.Account = "amazon-fr"
			}
			s.keepFile(f, []byte(name))
		}
		s.Equal([]string{"d", "c", "b", "a"}, s.files("", 0))
		s.Equal([]string{"d", "c"}, s.files("", 2))
		s.Equal([]string{"d", "c", "a"}, s.files(channel, 9))
	}},
}

// stopping is a reader that calls stop and has nothing to say.
type stopping func()

func (stop stopping) Read([]byte) (int, error) {
	stop()
	return 0, io.EOF
}
