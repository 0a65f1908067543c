package pgtest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// errNoServer says that no folder holds a complete set of server programs.
var errNoServer = errors.New("no PostgreSQL server programs found")

// binaries returns the folder that holds initdb and postgres.
func binaries() (string, error) {
	for _, dir := range candidates() {
		if dir, err := filepath.EvalSymlinks(filepath.Join(dir, "initdb")); err == nil {
			dir = filepath.Dir(dir)
			if runnable(filepath.Join(dir, "postgres")) {
				return dir, nil
			}
		}
	}
	return "", errNoServer
}

// candidates lists folders in the order they are tried: the path, Debian's, what pg_config
// says, and the usual places of other systems.
func candidates() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	dirs = append(dirs, newestFirst("/usr/lib/postgresql/*/bin")...)
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	dirs = append(dirs, newestFirst("/usr/pgsql-*/bin")...)
	dirs = append(dirs, newestFirst("/opt/homebrew/opt/postgresql@*/bin")...)
	dirs = append(dirs, newestFirst("/usr/local/opt/postgresql@*/bin")...)
	return append(dirs, "/usr/local/pgsql/bin", "/usr/libexec/postgresql")
}

func newestFirst(pattern string) []string {
	dirs, _ := filepath.Glob(pattern)
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	return dirs
}

// version reads the number out of the folder above bin.
func version(dir string) float64 {
	name := filepath.Base(filepath.Dir(dir))
	v, _ := strconv.ParseFloat(strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz-@"), 64)
	return v
}

func runnable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// install puts Debian's server package on this machine and looks again.
func install() (string, error) {
	if os.Getuid() != 0 {
		return "", fmt.Errorf("%w: set TEST_DATABASE_URL or install the postgresql package", errNoServer)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", fmt.Errorf("%w, and this system has no apt-get: set TEST_DATABASE_URL or install PostgreSQL", errNoServer)
	}
	unlock, err := lockFile("install")
	if err != nil {
		return "", err
	}
	defer unlock()
	if dir, err := binaries(); err == nil {
		return dir, nil // another test process was faster
	}
	for _, step := range []func() error{
		func() error { return apt("update", "-qq", "-o", "APT::Update::Error-Mode=any") },
		func() error { return aptInstall("postgresql-common") },
		noCluster,
		func() error { return aptInstall("postgresql") },
	} {
		if err := step(); err != nil {
			return "", fmt.Errorf("%w, and it could not be installed (%w): set TEST_DATABASE_URL or install the postgresql package", errNoServer, err)
		}
	}
	return binaries()
}

func aptInstall(name string) error {
	return apt("install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", name)
}

func apt(args ...string) error {
	cmd := exec.Command("apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", args[0], err, reason(string(out)))
	}
	return nil
}

// noCluster keeps the package from making a server of its own beside ours, which would start with
// the machine.
func noCluster() error {
	f, err := os.OpenFile("/etc/postgresql-common/createcluster.conf", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\ncreate_main_cluster = false\n")
	return errors.Join(err, f.Close())
}

// reason is the last line in which apt says what went wrong, or the end of what it says.
func reason(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range slices.Backward(lines) {
		if strings.HasPrefix(l, "E:") {
			return l
		}
	}
	return lines[len(lines)-1]
}

// tail keeps the end of a long output, where the reason usually stands.
func tail(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 600 {
		s = "…" + s[len(s)-600:]
	}
	return s
}
