package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"channelbridge/connector"
	"channelbridge/connector/payout"
	"channelbridge/internal/tray"
)

const (
	folderName  = "payout-folder"
	folderLook  = 2500 * time.Millisecond // a little more than a file has to rest
	folderRetry = time.Minute             // after a look that failed
	folderLease = time.Minute
	folderSpeed = 1 << 20 // bytes a second that taking a file in is given at least, before another process may have it
)

// fromFolder takes payout files out of a channel's folder until ctx ends. Trouble is told when it
// begins and when it is another one, not at every look.
func (b *bridge) fromFolder(ctx context.Context, l *link) {
	t := &tray.Tray{Path: l.cfg.payouts().Folder}
	told := ""
	for {
		wait, now := folderLook, ""
		if err := b.folderOnce(ctx, l.id, t); err != nil && ctx.Err() == nil {
			wait, now = folderRetry, err.Error()
			b.failed("payout-folder", l.id)
			if now != told {
				b.log.Warn("taking payout files from a folder ended early", "connection", string(l.id), "error", err)
			}
		}
		told = now
		if !pause(ctx, wait) {
			return
		}
	}
}

// folderOnce takes in what is whole. The database is asked for only when there is something; of
// several processes on one folder the one that gets the lease takes it. A file that gives trouble
// does not hold up the others.
func (b *bridge) folderOnce(ctx context.Context, id connector.ConnectionID, t *tray.Tray) error {
	whole, err := t.Look(b.clock())
	if err != nil || len(whole) == 0 {
		return err
	}
	cur, ours, err := b.store.TakeCursor(ctx, id, folderName, b.clock(), folderLease)
	if err != nil {
		return fmt.Errorf("taking the lease of the folder %s: %w", t.Path, err)
	}
	if !ours {
		return nil
	}
	err = b.takeFiles(ctx, id, t, whole, cur)
	if lost := b.store.KeepCursor(context.WithoutCancel(ctx), cur, b.clock(), time.Time{}); lost != nil && !errors.Is(lost, connector.ErrLeaseLost) {
		err = errors.Join(err, fmt.Errorf("giving the lease of the folder %s back: %w", t.Path, lost))
	}
	return err
}

func (b *bridge) takeFiles(ctx context.Context, id connector.ConnectionID, t *tray.Tray, whole []string, lease connector.Cursor) error {
	var failed []error
	for _, name := range whole {
		err := b.takeFile(ctx, id, t, name, lease)
		switch {
		case ctx.Err() != nil:
			return err
		case errors.Is(err, connector.ErrLeaseLost):
			return nil // another process is at it
		case errors.Is(err, tray.ErrChanged), errors.Is(err, fs.ErrNotExist):
			// it is looked at again, or somebody took it away
		case err != nil:
			failed = append(failed, fmt.Errorf("the payout file %q: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// takeFile takes one file in and moves it then. A crash before the move shows it again, and its
// bytes are known by their hash. The lease lasts as long as the file may take; should it end all the
// same, another process finds the same bytes known or the file gone.
func (b *bridge) takeFile(ctx context.Context, id connector.ConnectionID, t *tray.Tray, name string, lease connector.Cursor) error {
	f, err := t.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	until := b.clock().Add(folderLease + time.Duration(f.Size/folderSpeed)*time.Second)
	if err := b.store.KeepCursor(ctx, lease, b.clock(), until); err != nil {
		return fmt.Errorf("keeping the lease of the folder: %w", err)
	}
	_, err = books{b}.Import(ctx, payout.File{Account: id, Name: name, Origin: "folder", By: "folder", Body: f})
	if bad, ok := errors.AsType[*payout.RejectedError](err); ok {
		return f.Refuse(bad.Err.Error())
	}
	if err != nil {
		return err
	}
	return f.Accept()
}

// folderFindings tells of folders that files cannot be taken out of.
func (b *bridge) folderFindings() []finding {
	var out []finding
	for _, l := range b.all() {
		path := l.cfg.payouts().Folder
		if l.role != connector.RoleChannel || path == "" {
			continue
		}
		what := string(l.id) + " payout folder"
		if err := tray.Check(path); err != nil {
			out = append(out, finding{what, "fail", err.Error(), "make it, and let the bridge's user write to it: files are moved when they were taken in"})
			continue
		}
		out = append(out, finding{what, "ok", path, ""})
	}
	return out
}
