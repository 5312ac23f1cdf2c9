// Package pgtest gives tests a real PostgreSQL, started from the installed
// binaries, once for each test process.
package pgtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// startTimeout is how long the server may take until it answers.
const startTimeout = 60 * time.Second

// The servers of the process, and the number of schemas made on them.
var (
	shared  = sync.OnceValues(func() (server, error) { return start("-c fsync=off -c synchronous_commit=off -c full_page_writes=off") })
	durable = sync.OnceValues(func() (server, error) { return start("") })
	made    atomic.Int64
)

// URL returns the URL of an empty schema of its own, which is as good as a
// database and made fifty times faster. It is dropped at the end of the test.
// The test is skipped where PostgreSQL is not installed.
func URL(t testing.TB) string {
	t.Helper()
	return schema(t, shared)
}

// DurableURL is URL on a server that syncs each commit to the disk, as one in
// use does.
func DurableURL(t testing.TB) string {
	t.Helper()
	return schema(t, durable)
}

func schema(t testing.TB, start func() (server, error)) string {
	t.Helper()
	if _, err := binaries(); err != nil {
		t.Skip(err)
	}
	server, err := start()
	if err != nil {
		t.Fatalf("PostgreSQL does not start: %v", err)
	}
	name := fmt.Sprintf("test%d", made.Add(1))
	if err := server.exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
			t.Errorf("dropping the test's schema, of which every connection must be closed: %v", err)
		}
	})
	return server.url("search_path=" + name)
}

type server struct{ address string }

func (s server) url(query string) string {
	u := url.URL{Scheme: "postgres", User: url.User("iap"), Host: s.address, Path: "/postgres", RawQuery: "sslmode=disable&" + query}
	return u.String()
}

func (s server) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("application_name=pgtest"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, query)
	return err
}

// binaries returns the folder of the newest installed server.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = append(found, path)
		}
	}
	for _, path := range found {
		dir := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("PostgreSQL is not installed: there is no initdb beside postgres in /usr/lib/postgresql/*/bin or on the PATH")
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// credential returns whom the server runs as: nil for this user, another where
// this user is root, as which it refuses to run.
func credential() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, fmt.Errorf("there is no user postgres or nobody to run it as")
}

// script runs the server until its input ends, which it does when the test
// process ends, however it ends; then it removes the server's folder.
const script = `trap '' INT TERM HUP
bin=$1 dir=$2 port=$3 settings=$4
"$bin/initdb" -D "$dir/data" -U iap -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || exit 1
"$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
	-c max_connections=200 $settings >>"$dir/log" 2>&1 &
read end
kill -QUIT $!
wait
rm -rf "$dir"`

func start(settings string) (server, error) {
	bin, err := binaries()
	if err != nil {
		return server{}, err
	}
	cred, err := credential()
	if err != nil {
		return server{}, err
	}
	dir, err := os.MkdirTemp("", "iap-postgres-")
	if err != nil {
		return server{}, err
	}
	if cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return server{}, err
		}
	}
	address, err := freeAddress()
	if err != nil {
		return server{}, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return server{}, err
	}
	cmd := exec.Command("/bin/sh", "-c", script, "sh", bin, dir, port, settings)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setpgid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return server{}, err
	}
	if err := cmd.Start(); err != nil {
		return server{}, err
	}
	s := server{address: address}
	return s, s.await(cmd, input, filepath.Join(dir, "log"))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await returns when the server answers. It keeps input open for as long as
// the process lives.
func (s server) await(cmd *exec.Cmd, input io.Closer, log string) error {
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		_ = input.Close()
	}()
	deadline := time.After(startTimeout)
	for {
		err := s.exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ended:
		case <-deadline:
		case <-time.After(20 * time.Millisecond):
			continue
		}
		text, _ := os.ReadFile(log)
		_ = input.Close()
		return fmt.Errorf("%w\n%s", err, text)
	}
}
