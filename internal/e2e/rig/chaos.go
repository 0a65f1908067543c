package rig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Chaos kills what it is allowed to and starts it again.
type Chaos struct {
	World *World
	Rand  *rand.Rand
	// Between bounds the time from one restart to the next kill, Down the time a victim stays dead.
	Between, Down [2]time.Duration

	Server, Database int // how often each was killed
}

// Run kills n times, or until ctx ends. What was killed has been started again when it returns.
func (c *Chaos) Run(ctx context.Context, n int) error {
	for range n {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.draw(c.Between)):
		}
		if err := c.strike(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Chaos) draw(bounds [2]time.Duration) time.Duration {
	return bounds[0] + time.Duration(c.Rand.Int64N(int64(bounds[1]-bounds[0])+1))
}

// strike kills the server in half of the cases, PostgreSQL in a quarter, both in a quarter.
func (c *Chaos) strike() error {
	bridge := c.World.Bridges[c.Rand.IntN(len(c.World.Bridges))]
	draw := c.Rand.IntN(4)
	server, database := draw != 0, draw == 0 || draw == 1
	if server {
		bridge.Kill()
		c.Server++
	}
	if database {
		if err := c.World.Cluster.Kill(); err != nil {
			return fmt.Errorf("kill PostgreSQL: %w", err)
		}
		c.Database++
	}
	time.Sleep(c.draw(c.Down))
	if server && c.Rand.IntN(2) == 0 { // half of the time the server comes back first
		if err := bridge.Start(); err != nil {
			return err
		}
		server = false
	}
	if database {
		if err := c.World.Cluster.Restart(); err != nil {
			return fmt.Errorf("restart PostgreSQL: %w", err)
		}
	}
	if server {
		return bridge.Start()
	}
	return nil
}
