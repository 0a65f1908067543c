package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"channelbridge/migrations"
)

func newMigrate(a *app) *cobra.Command {
	return group("migrate", "Bring the database's schema up to date, or see how it stands", newMigrateUp(a), newMigrateStatus(a))
}

// step is one migration for people.
type step struct {
	Version int64     `json:"version"`
	Name    string    `json:"name"`
	Applied bool      `json:"applied"`
	At      time.Time `json:"at,omitzero"`
}

func newMigrateUp(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Take all steps that are missing; serve does this by itself",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			s, err := openStore(cmd.Context(), cfg, true)
			if err != nil {
				return fmt.Errorf("migrating %s: %w", cfg.DatabaseURL.masked(), err)
			}
			defer s.Close()
			return a.printSteps(cmd.Context(), s.DB().DB, s.Dialect())
		},
	}
}

func newMigrateStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List all steps and whether they were taken",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.config()
			if err != nil {
				return err
			}
			db, dialect, err := openPlain(cfg)
			if err != nil {
				return err
			}
			defer db.Close()
			return a.printSteps(cmd.Context(), db, dialect)
		},
	}
}

// openPlain opens the database without insisting on its schema.
func openPlain(cfg *Config) (*sql.DB, string, error) {
	if cfg.DatabaseURL.postgres() {
		db, err := sql.Open("postgres", string(cfg.DatabaseURL))
		return db, migrations.Postgres, err
	}
	db, err := sql.Open("sqlite", "file:"+cfg.DatabaseURL.file()+"?_pragma=busy_timeout(10000)")
	return db, migrations.SQLite, err
}

func (a *app) printSteps(ctx context.Context, db *sql.DB, dialect string) error {
	list, err := migrations.Status(ctx, db, dialect)
	if err != nil {
		return err
	}
	steps, rows := []step{}, [][]string{}
	for _, r := range list {
		steps = append(steps, step{r.Version, r.Name, r.Applied, r.AppliedAt})
		rows = append(rows, []string{fmt.Sprint(r.Version), r.Name, yes(r.Applied), when(r.AppliedAt)})
	}
	if a.asJSON {
		return a.printJSON(steps)
	}
	return table(a.stdout, "STEP\tNAME\tTAKEN\tAT", rows)
}
