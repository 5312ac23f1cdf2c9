// Package brokertest gives tests real message brokers, started from the installed
// programs, with nothing in them.
package brokertest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// startTimeout is how long a broker may take until it answers.
const startTimeout = 2 * time.Minute

// NATS starts a NATS server for the test, sets NATS_SERVER_URL and returns it. The test is
// skipped where nats-server is not installed.
func NATS(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("nats-server")
	if err != nil {
		t.Skip("NATS is not installed: there is no nats-server on the PATH; scripts/setup.sh nats installs it")
	}
	port := freePort(t)
	start(t, exec.Command(program, "-a", "127.0.0.1", "-p", port), "Server is ready")
	address := "nats://127.0.0.1:" + port
	t.Setenv("NATS_SERVER_URL", address)
	return address
}

// rabbitServer is where Debian keeps the program that asks for no user of its own.
const rabbitServer = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// Rabbit starts a RabbitMQ server for the test, sets RABBIT_SERVER_URL, and returns
// a connection. The test is skipped where RabbitMQ is not installed.
func Rabbit(t *testing.T) *amqp.Connection {
	t.Helper()
	if _, err := os.Stat(rabbitServer); err != nil {
		t.Skip("RabbitMQ is not installed: there is no " + rabbitServer + "; scripts/setup.sh rabbitmq installs it")
	}
	dir, port, epmd := t.TempDir(), freePort(t), freePort(t)
	plugins := filepath.Join(dir, "plugins")
	if err := os.WriteFile(plugins, []byte("[].\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(rabbitServer)
	cmd.Env = append(os.Environ(), "HOME="+dir, "RABBITMQ_NODENAME=iap"+port+"@localhost", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_NODE_PORT="+port, "RABBITMQ_DIST_PORT="+freePort(t), "ERL_EPMD_PORT="+epmd, "ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_EPMD_RELAXED_COMMAND_CHECK=1", // it may be ended before it has seen the server end
		"RABBITMQ_MNESIA_BASE="+dir, "RABBITMQ_LOG_BASE="+dir, "RABBITMQ_LOGS=-", "RABBITMQ_ENABLED_PLUGINS_FILE="+plugins,
		"RABBITMQ_CONF_ENV_FILE="+os.DevNull, "RABBITMQ_CONFIG_FILE="+filepath.Join(dir, "none"),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1")
	t.Cleanup(func() { // the daemon that Erlang starts for names leaves the process group
		_ = exec.Command("epmd", "-port", epmd, "-kill").Run()
	})
	start(t, cmd, "Server startup complete")
	address := "amqp://guest:guest@127.0.0.1:" + port
	t.Setenv("RABBIT_SERVER_URL", address)
	c, err := amqp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// start starts a server, waits until it writes that it is ready, and ends it with
// the test.
func start(t *testing.T, cmd *exec.Cmd, ready string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = r.Close()
	})
	told := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(r); lines.Scan(); {
			fmt.Fprintln(&all, lines.Text())
			if strings.Contains(lines.Text(), ready) {
				told <- ""
				_, _ = io.Copy(io.Discard, r)
				return
			}
		}
		told <- all.String()
	}()
	select {
	case all := <-told:
		if all != "" {
			t.Fatalf("%s did not start:\n%s", cmd.Path, all)
		}
	case <-time.After(startTimeout):
		t.Fatalf("%s was not ready after %s", cmd.Path, startTimeout)
	}
}

// freePort is a port that nobody listens on now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
