package pgtest

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver the readiness check speaks through
)

// Options of a cluster. The zero value is fast and forgets everything on a power cut.
type Options struct {
	// Fsync keeps flushing to disk on, for benchmarks and for tests of durability.
	Fsync bool
	// Settings are further server settings, name to value.
	Settings map[string]string
}

// Cluster is one throw-away server on a loopback port.
type Cluster struct {
	opts     Options
	bin, dir string
	password string
	port     int
	cred     *syscall.Credential

	shell *exec.Cmd // stops the server when pipe closes
	pipe  io.WriteCloser
	ended chan struct{}
}

// Start makes a new cluster and waits until it answers. Stop ends it; so does the end of this
// process.
func Start(opts Options) (*Cluster, error) {
	bin, err := binaries()
	if errors.Is(err, errNoServer) {
		bin, err = install()
	}
	if err != nil {
		return nil, err
	}
	cred, err := owner()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "channelbridge-pg-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{opts: opts, bin: bin, dir: dir, cred: cred, password: rand.Text()}
	if err := c.create(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	for attempt := 1; ; attempt++ { // the port may be taken between finding and using it
		if err = c.launch(); err == nil {
			return c, nil
		}
		if attempt == 3 {
			_ = os.RemoveAll(dir)
			return nil, err
		}
		c.port = 0
	}
}

// create runs initdb with a random password.
func (c *Cluster) create() error {
	secret := filepath.Join(c.dir, "password")
	if err := os.WriteFile(secret, []byte(c.password), 0o600); err != nil {
		return err
	}
	if c.cred != nil {
		for _, path := range []string{c.dir, secret} {
			if err := os.Chown(path, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
				return err
			}
		}
	}
	cmd := exec.Command(filepath.Join(c.bin, "initdb"), "-D", c.data(), "-U", "postgres",
		"-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale=C", "--no-sync")
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, tail(string(out)))
	}
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }
func (c *Cluster) log() string  { return filepath.Join(c.dir, "log") }

// keeper runs the server ("$@") beside a read from the pipe. "keep" leaves the files for a
// restart; the end of the pipe, which is also our death, removes them.
const keeper = `dir=$1; log=$2; shift 2
"$@" >>"$log" 2>&1 &
pid=$!
read -r word
kill -INT $pid 2>/dev/null
wait $pid
[ "$word" = keep ] || rm -rf "$dir"
`

func (c *Cluster) launch() error {
	if c.port == 0 {
		port, err := freePort()
		if err != nil {
			return err
		}
		c.port = port
	}
	args := append([]string{"-c", keeper, "keeper", c.dir, c.log(), filepath.Join(c.bin, "postgres"), "-D", c.data()}, c.settings()...)
	c.shell = exec.Command("/bin/sh", args...)
	c.shell.Dir = c.dir
	c.shell.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred, Setpgid: true}
	pipe, err := c.shell.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.shell.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	c.pipe, c.ended = pipe, make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(c.shell, c.ended)
	if err := c.ready(30 * time.Second); err != nil {
		out, _ := os.ReadFile(c.log())
		c.leave("keep")
		return fmt.Errorf("%w: %s", err, tail(string(out)))
	}
	return nil
}

func (c *Cluster) settings() []string {
	set := map[string]string{
		"listen_addresses":           "127.0.0.1",
		"port":                       strconv.Itoa(c.port),
		"unix_socket_directories":    "",
		"max_connections":            "200",
		"shared_buffers":             "64MB",
		"timezone":                   "UTC",
		"log_min_messages":           "fatal",
		"log_min_error_statement":    "panic",
		"dynamic_shared_memory_type": "posix",
	}
	if !c.opts.Fsync {
		set["fsync"], set["full_page_writes"], set["synchronous_commit"] = "off", "off", "off"
	}
	for name, value := range c.opts.Settings {
		set[name] = value
	}
	var args []string
	for name, value := range set {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

// ready waits until the server answers.
func (c *Cluster) ready(patience time.Duration) error {
	db, err := sql.Open("postgres", c.URL())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for deadline := time.Now().Add(patience); ; {
		if err = db.Ping(); err == nil {
			return nil
		}
		if time.Now().After(deadline) || !c.alive() && c.Pid() == 0 {
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		}
		time.Sleep(25 * time.Millisecond)
	}
}

func (c *Cluster) alive() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// URL is the address of the cluster's own database.
func (c *Cluster) URL() string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/postgres?sslmode=disable", c.password, c.port)
}

// Pid is the process id of the postmaster, 0 when it has none.
func (c *Cluster) Pid() int {
	text, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// Stop ends the cluster in order and removes its files. It may be called twice.
func (c *Cluster) Stop() {
	c.leave("")
	_ = os.RemoveAll(c.dir)
}

// Restart starts the server again on the same port and files, stopping it first if it runs.
func (c *Cluster) Restart() error {
	c.leave("keep")
	return c.launch()
}

// leave tells the keeper to end and waits for it.
func (c *Cluster) leave(word string) {
	if c.pipe == nil {
		return
	}
	if word != "" {
		_, _ = io.WriteString(c.pipe, word+"\n")
	}
	_ = c.pipe.Close()
	<-c.ended
	c.pipe = nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
