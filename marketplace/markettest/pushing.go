package markettest

import (
	"errors"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/marketplace"
)

var pushing = []chapter{
	{"a genuine push names its order", func(s *story) {
		r := s.receiver()
		id := s.h.Place(s.T)
		hints, err := r.Receive(s.h.Now(), s.h.Push(s.T, id))
		require.NoError(s, err)
		require.Len(s, hints, 1)
		h := hints[0]
		require.Equal(s, id, h.Order)
		require.Empty(s, h.Ignore)
		require.NotEmpty(s, h.DeliveryID, "a repetition must be recognisable")
		require.NotEmpty(s, h.Topic)
		require.False(s, h.Heard.After(s.h.Now().Add(time.Second)))
		if h.Observed != nil {
			require.Equal(s, s.read(id), *h.Observed, "the order carried is the order read")
		}
	}},
	{"a repeated push has the same delivery id, another order's has not", func(s *story) {
		r := s.receiver()
		id, other := s.h.Place(s.T), s.h.Place(s.T)
		in := s.h.Push(s.T, id)
		first, err := r.Receive(s.h.Now(), in)
		require.NoError(s, err)
		again, err := r.Receive(s.h.Now(), in)
		require.NoError(s, err)
		require.Equal(s, first, again)
		second, err := r.Receive(s.h.Now(), s.h.Push(s.T, other))
		require.NoError(s, err)
		require.NotEqual(s, first[0].DeliveryID, second[0].DeliveryID)
	}},
	{"a forged push is refused", func(s *story) {
		r := s.receiver()
		in := s.h.Push(s.T, s.h.Place(s.T))
		forge := s.h.Forge
		if forge == nil {
			forge = oneByte
		}
		hints, err := r.Receive(s.h.Now(), forge(clone(in)))
		require.ErrorIs(s, err, marketplace.ErrSignature)
		require.Empty(s, hints)

		bare := clone(in)
		bare.Header = http.Header{"Content-Type": in.Header["Content-Type"]}
		hints, err = r.Receive(s.h.Now(), bare)
		require.True(s, errors.Is(err, marketplace.ErrMissing) || errors.Is(err, marketplace.ErrSignature), "%v", err)
		require.Empty(s, hints)
	}},
	{"rubbish is refused without a panic", func(s *story) {
		r := s.receiver()
		for _, body := range []string{"", "{", "null", "[]", "\x00\xff", `{"id":{}}`} {
			hints, err := r.Receive(s.h.Now(), marketplace.Inbound{Header: http.Header{}, Body: []byte(body)})
			require.Error(s, err, "%q", body)
			require.Empty(s, hints)
		}
	}},
}

func (s *story) receiver() marketplace.Receiver {
	s.Helper()
	r, ok := s.h.Adapter.(marketplace.Receiver)
	s.need(ok && s.h.Push != nil, "push")
	return r
}

// oneByte changes a digit or letter in the middle, so that the body stays what it was but for
// its meaning.
func oneByte(in marketplace.Inbound) marketplace.Inbound {
	if n := len(in.Body); n > 0 {
		in.Body[n/2] ^= 1
	}
	return in
}

func clone(in marketplace.Inbound) marketplace.Inbound {
	return marketplace.Inbound{Header: in.Header.Clone(), Body: append([]byte(nil), in.Body...)}
}
