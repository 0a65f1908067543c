package memstore_test

import (
	"testing"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/connector/storetest"
)

func TestExercise(t *testing.T) {
	storetest.Exercise(t, func(*testing.T) connector.Store { return memstore.New() })
}
