package cli_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/cli"
	"github.com/internal-app-portal/iap/workflow"
)

// TestMain lets scripts run iap as a program of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"iap": func() { os.Exit(runIAP()) }})
}

// runIAP is cmd/iap with stand-ins for what the command line starts.
func runIAP() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	hooks := cli.Hooks{
		Version: "1.2.3",
		Serve: func(_ context.Context, f cli.ServeFlags) error {
			fmt.Printf("%+v\n", f)
			return nil
		},
		Docker: func(context.Context) (string, error) {
			if os.Getenv("TEST_DOCKER") == "down" {
				return "", errors.New("Docker does not answer at unix:///var/run/docker.sock")
			}
			return "27.1", nil
		},
		Terraform: func(context.Context) (string, string, error) { return "/usr/bin/tofu", "OpenTofu 1.12.6", nil },
		Browse: func(url string) error {
			fmt.Fprintln(os.Stderr, "browser shows", url)
			return nil
		},
	}
	return cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, hooks)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			p := apitest.New(env.T().(testing.TB), nil)
			env.Setenv("IAP_SERVER", p.URL)
			env.Setenv("IAP_TOKEN", apitest.JaneToken)
			env.Setenv("JANE", apitest.JaneToken)
			env.Setenv("PAUL", apitest.PaulToken)
			env.Setenv("ANN", apitest.AnnToken)
			env.Values["portal"] = p
			tolerated := int64(3)
			p.SetMapRuns(workflow.MapRun{ID: "01arz3ndektsv4rrffq69g5fav", Machine: "import", State: "All",
				Status: workflow.Running, MaxConcurrency: 3, ToleratedCount: &tolerated, RedriveCount: 1,
				Items: asl.MapCounts{Pending: 5, Succeeded: 2, Failed: 1}})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":   cmdExit,
			"script": cmdIgnored,
			// most bounds the instances of a person.
			"most": func(ts *testscript.TestScript, _ bool, args []string) {
				most, err := strconv.Atoi(args[0])
				ts.Check(err)
				ts.Value("portal").(*apitest.Portal).LimitPerson(most)
			},
			// envfile sets a variable to what a file, or stdout, holds.
			"envfile": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
			},
		},
	})
}

// cmdExit runs a program and checks its exit code: exit 2 iap deploy.
func cmdExit(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit interface{ ExitCode() int }
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("%s: exit code %d, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

func cmdIgnored(*testscript.TestScript, bool, []string) {}
