package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"channelbridge/internal/demo"
)

// newDemo plays the main job with a fake Amazon and a fake store.
func newDemo(a *app) *cobra.Command {
	var stay, verbose bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play the main job with a fake Amazon and a fake store",
		Long: `Starts a fake Amazon and a fake Shopify store as HTTP servers on this machine and this program
between them, on an embedded database in a temporary folder. Orders are placed, mirrored,
shipped, confirmed, refunded and cancelled, and the channel is removed and connected again; each
step is told. It ends within a minute, with exit code 0 only if both sides agree. It needs no configuration and leaves nothing behind.`,
		Example: "  channelbridge demo\n  channelbridge demo --stay",
		Args:    arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("finding this program: %w", err)
			}
			var log io.Writer
			if verbose {
				log = a.stderr
			}
			return demo.Play(cmd.Context(), demo.Story{Binary: binary, Out: a.stdout, Stay: stay, Log: log})
		},
	}
	c.Flags().BoolVar(&stay, "stay", false, "keep everything up afterwards, to be explored")
	c.Flags().BoolVar(&verbose, "verbose", false, "also print the bridge's log, to standard error")
	return c
}
