package sim

import (
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector/memstore"
)

// kept are seeds that once broke a promise, and what each has taught.
var kept = []struct {
	seed   uint64
	taught string
}{
	{2542, "a shipment is taken back while its confirmation waits to be repeated: the entry is given up, not left open"},
	{3961, "the store's hold is insisted on while the channel is asked to cancel: a person packed the order meanwhile"},
	{4459, "a repeat that surely failed says nothing of an earlier attempt: the corrected number waits for it"},
	{6671, "units of two parcels that were taken back cannot be packed into one until another parcel frees some"},
	{9055, "a shipment is taken back while its confirmation is in doubt, after a crash: it is looked for once, then settled"},
	{9652, "as 6671; the other parcel came the day after"},
	{11899, "as 9055, with the parcel shipped anew under the same reference"},
	{14670, "a sender that slept says at last that it has not called: what was given up meanwhile is not opened again"},
	{17134, "the last unit ships while a hold waits to be repeated: nothing is left to hold"},
	{20740, "a unit was shipped at the channel and in the store: there is no room for the second before another parcel is taken back"},
	{24197, "as 17134, with the hold in doubt"},
	{25504, "what was given up had happened after all, as a late answer says: somebody looks again and proves it"},
	{26605, "as 11899"},
	{28059, "as 9055"},
	{28148, "the store's share of a line's last unit is dearer by two cents than what the channel charged for it: held for a person"},
	{28667, "as 9652"},
	{29671, "units that an edit gives up are free only once the edit is done"},
	{32897, "as 20740"},
	{39243, "the store gives an amount back before anything ships, then cancels: what it keeps of units never charged belongs to the earlier refund too"},
	{48135, "a refund that was only announced asks for units that went with the rest of the order meanwhile: its wish is met"},
	{56236, "as 48135, of a line that went as a whole"},
	{61347, "as 48135, while the channel gave up on a batch"},
	{62255, "a lane's worker that slept while it looked once more withdraws what another has handed in since: too late"},
	{67846, "of two parcels that were taken back, the new one takes the place of the one that frees what it needs beyond what is free"},
	{300391, "of two parcels that were taken back, the new one takes the place of the one that frees all it holds"},
}

// TestKeptSeeds plays them again. A seed names a world only as long as its people and faults draw
// alike, so what a seed has taught also stands in a test of the planner where it can.
func TestKeptSeeds(t *testing.T) {
	t.Parallel()
	for _, k := range kept {
		require.Empty(t, Run(Config{Seed: k.seed, Store: memstore.New()}).Broken, "seed %d: %s", k.seed, k.taught)
	}
}
