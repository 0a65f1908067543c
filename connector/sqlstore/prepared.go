package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/lib/pq"
)

// keepable bounds the statements that are kept prepared: those with more parameters are lists
// whose length varies, and every length would be another statement.
const keepable = 24

// preparing makes connections that prepare each statement once. PostgreSQL would otherwise spend
// more time on reading and planning our statements than on carrying them out.
type preparing struct{ *pq.Connector }

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	known, ok := c.(session)
	if !ok {
		return nil, errors.Join(errors.New("the PostgreSQL driver lacks what the store needs of it"), c.Close())
	}
	return &preparedConn{session: known, kept: map[string]statement{}}, nil
}

// session is all that a connection of the driver can do.
type session interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn is one connection and its statements. database/sql uses it from one goroutine at
// a time.
type preparedConn struct {
	session
	kept map[string]statement
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	st, err := c.statement(ctx, query, len(args))
	if err != nil {
		return nil, err
	}
	if st == nil {
		return c.session.ExecContext(ctx, query, args)
	}
	res, err := st.ExecContext(ctx, args)
	return res, c.judged(query, err)
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	st, err := c.statement(ctx, query, len(args))
	if err != nil {
		return nil, err
	}
	if st == nil {
		return c.session.QueryContext(ctx, query, args)
	}
	rows, err := st.QueryContext(ctx, args)
	return rows, c.judged(query, err)
}

// statement is the prepared form; nil for what is not kept. A text without parameters may hold
// several statements, which cannot be prepared.
func (c *preparedConn) statement(ctx context.Context, query string, params int) (statement, error) {
	if params == 0 || params > keepable {
		return nil, nil
	}
	if st := c.kept[query]; st != nil {
		return st, nil
	}
	made, err := c.session.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	st, ok := made.(statement)
	if !ok {
		return nil, made.Close()
	}
	c.kept[query] = st
	return st, nil
}

// judged forgets a statement that the server does not know any more, or that a change of the
// schema has made useless: the next use prepares it afresh.
func (c *preparedConn) judged(query string, err error) error {
	if e, ok := errors.AsType[*pq.Error](err); ok && (e.Code == "26000" || e.Code == "0A000") {
		delete(c.kept, query)
	}
	return err
}
