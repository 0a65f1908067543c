package connector

import "time"

// Role is what a connection is for.
type Role string

const (
	RoleChannel Role = "sales_channel"
	RoleStore   Role = "store"
)

// State is where a connection stands in its life.
type State string

const (
	Active       State = "active"
	Paused       State = "paused"       // a person stopped it; facts are recorded, nothing is sent
	Disconnected State = "disconnected" // refused by the other side; probed until it answers again
	Removed      State = "removed"      // a person took it away: credentials destroyed, facts recorded, nothing sent
	Reconnecting State = "reconnecting" // it is back: sides are read, nothing is sent until the plan may run
)

// Connection is the stored state of one configured connection.
type Connection struct {
	ID        ConnectionID `json:"id"`
	Platform  string       `json:"platform"`
	Role      Role         `json:"role"`
	Store     ConnectionID `json:"store,omitempty"` // channels: where their orders are mirrored
	State     State        `json:"state"`
	Reason    string       `json:"reason,omitempty"` // why it is not active
	ChangedAt time.Time    `json:"changed_at"`
	Since     time.Time    `json:"since"` // when it was first connected; kept from then on
	// RemovedAt and RejoinedAt are the last removal and the reconnection after it.
	RemovedAt  time.Time `json:"removed_at,omitzero"`
	RejoinedAt time.Time `json:"rejoined_at,omitzero"`
	// Settings is the configuration of a connection added at run time, sealed; empty for those of
	// the configuration file.
	Settings []byte `json:"-"`
}
