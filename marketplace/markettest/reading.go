package markettest

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

var reading = []chapter{
	{"a paid order is read as it is", func(s *story) {
		id := s.h.Place(s.T)
		o := s.read(id)
		require.Equal(s, id, o.ID)
		require.Equal(s, marketplace.Open, o.Lifecycle)
		require.Equal(s, marketplace.ByMerchant, o.FulfilledBy)
		require.NotEmpty(s, o.External, "the channel's own status text is kept")
		require.False(s, o.PlacedAt.IsZero())
		require.False(s, o.UpdatedAt.Before(o.PlacedAt))
		require.Empty(s, o.Packages)
		require.Len(s, o.Lines, 2)
		require.Equal(s, 2, o.Lines[0].Ordered)
		require.Equal(s, 1, o.Lines[1].Ordered)
		for _, l := range o.Lines {
			require.NotEmpty(s, l.ID)
			require.Zero(s, l.Shipped)
		}
		require.NotEqual(s, o.Lines[0].ID, o.Lines[1].ID)
		if s.h.Site != "" {
			require.Equal(s, s.h.Site, o.Site)
		}
	}},
	{"the day of an order ends in a zone that exists", func(s *story) {
		o := s.read(s.h.Place(s.T))
		zone, err := time.LoadLocation(o.Zone)
		require.NoError(s, err)
		require.NotEmpty(s, o.Zone)
		if s.h.Zone != nil {
			require.Equal(s, s.h.Zone.String(), zone.String())
		}
	}},
	{"amounts add up to the total", func(s *story) {
		o := s.read(s.h.Place(s.T))
		require.True(s, money.ValidCode(o.Currency))
		sum, err := payable(o)
		require.NoError(s, err)
		require.Positive(s, sum.Minor)
		if o.Total.Currency != "" {
			require.Equal(s, o.Total, sum)
		}
		require.Empty(s, o.Problems)
	}},
	{"reading again says the same", func(s *story) {
		id := s.h.Place(s.T)
		require.Equal(s, s.read(id), s.read(id))
	}},
	{"an order that is not released is pending", func(s *story) {
		s.need(s.h.PlacePending != nil, "pending order")
		require.Equal(s, marketplace.Pending, s.read(s.h.PlacePending(s.T)).Lifecycle)
	}},
	{"an order the channel ships is told apart", func(s *story) {
		s.need(s.h.PlaceByChannel != nil, "order of the channel's warehouse")
		require.Equal(s, marketplace.ByChannel, s.read(s.h.PlaceByChannel(s.T)).FulfilledBy)
	}},
	{"an order nobody knows is not found", func(s *story) {
		_, err := s.h.Adapter.Order(s.ctx, s.h.Missing)
		s.class(fault.NotFound, err)
	}},
	{"a listing finds what changed, in every order of pages", func(s *story) {
		since := s.h.Now().Add(-time.Second)
		var placed []marketplace.OrderID
		for range max(3, 2*s.h.Page+1) {
			s.pass(time.Second)
			placed = append(placed, s.h.Place(s.T))
		}
		s.settle()
		found, next := s.list(marketplace.Cursor{Since: since})
		for _, id := range placed {
			require.Contains(s, found, id)
			require.Equal(s, s.read(id), found[id], "the listing and the single read say the same")
		}
		require.Empty(s, next.Token, "what a finished listing hands on is a watermark")
		require.False(s, next.Since.Before(since), "a watermark does not go back")
		require.False(s, next.Since.After(s.h.Now()), "nor beyond now")
	}},
	{"the next listing, with its overlap, misses nothing", func(s *story) {
		first := s.h.Place(s.T)
		s.settle()
		_, mark := s.list(marketplace.Cursor{Since: s.h.Now().Add(-time.Hour)})
		s.pass(time.Second)
		second := s.h.Place(s.T)
		s.settle()
		mark.Since = mark.Since.Add(-max(s.h.Adapter.Traits().Overlap, time.Second))
		found, _ := s.list(mark)
		require.Contains(s, found, first, "the overlap reaches back")
		require.Contains(s, found, second)
	}},
}

// list walks through a listing, looking at the order of changes and that it ends.
func (s *story) list(from marketplace.Cursor) (map[marketplace.OrderID]marketplace.Order, marketplace.Cursor) {
	s.Helper()
	found := map[marketplace.OrderID]marketplace.Order{}
	var tokens []string
	for range 500 {
		p, err := s.h.Adapter.Changed(s.ctx, from)
		if fault.Is(err, fault.Temporary) && s.h.Advance != nil { // its rate; come again later
			s.pass(max(fault.After(err), time.Second))
			continue
		}
		require.NoError(s, err)
		require.Empty(s, p.Faulty)
		require.True(s, slices.IsSortedFunc(p.Orders, func(a, b marketplace.Order) int { return a.UpdatedAt.Compare(b.UpdatedAt) }),
			"oldest change first")
		for _, o := range p.Orders {
			found[o.ID] = o
		}
		if !p.More {
			return found, p.Next
		}
		require.NotEmpty(s, p.Next.Token)
		require.NotContains(s, tokens, p.Next.Token, "pages go on")
		tokens, from = append(tokens, p.Next.Token), p.Next
	}
	s.Fatal("the listing does not end")
	return nil, from
}

// payable is what the buyer pays: amounts less discounts, and taxes that are not inside.
func payable(o marketplace.Order) (money.Money, error) {
	all := slices.Clone(o.Charges)
	for _, l := range o.Lines {
		all = append(all, l.Parts...)
	}
	var sum money.Money
	for _, c := range all {
		tax := c.Tax
		if c.TaxIncluded {
			tax = money.Money{}
		}
		var err error
		if sum, err = money.Sum(sum, c.Amount, c.Discount.Neg(), tax); err != nil {
			return sum, err
		}
	}
	return sum, nil
}
