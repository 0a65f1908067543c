package main

import (
	"github.com/spf13/cobra"
)

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "channelbridge",
		Short: "Keep orders of marketplaces and stores in agreement",
		Long: `channelbridge mirrors orders of marketplaces into a store, confirms shipments of the store at
the marketplace the same day, and finds whatever a lost push has missed.

All commands read the same configuration and may be used beside a running server.

Exit codes:
  0  it worked
  1  it did not work
  2  the command line or the configuration is wrong
  3  doctor or healthcheck found a problem
  4  there is no such order, delivery, connection, token, ledger entry, event or endpoint
  5  what was asked for is refused, and nothing was kept`,
		Example: `  channelbridge doctor
  channelbridge serve --config /etc/channelbridge.yaml
  channelbridge orders list --held
  channelbridge plan amazon-us/112-1234567-1234567`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          arguments(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%s\nSee %q.", err, cmd.CommandPath()+" --help")
	})
	root.PersistentFlags().StringVarP(&a.configFile, "config", "c", "", "configuration file (default "+defaultConfig+", or CHANNELBRIDGE_CONFIG)")
	root.PersistentFlags().BoolVar(&a.asJSON, "json", false, "print JSON instead of tables")
	root.AddCommand(newServe(a), newMigrate(a), newDoctor(a), newHealthcheck(a), newConnections(a), newOrders(a),
		newDeliveries(a), newPlan(a), newCompleteness(a), newTokens(a), newChannels(a), newPrivacy(a), newLedger(a), newAudit(a), newWrites(a),
		newPayouts(a), newFindings(a), newClaims(a), newDeposits(a), newMonths(a), newReport(a), newTariffs(a), newEvents(a), newConfig(a), newVersion(a), newDemo(a))
	return root
}

// group is a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(subs...)
	return c
}
