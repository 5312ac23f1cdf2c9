package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
)

// crashFile names, in the environment of the process that is to be killed, the
// database that it writes to.
const crashFile = "IAP_TEST_CRASH_FILE"

// TestCrashWriter is the process that TestCrash kills. It prints the number of
// each event after its commit.
func TestCrashWriter(t *testing.T) {
	path := os.Getenv(crashFile)
	if path == "" {
		t.Skip("is run by TestCrash")
	}
	failpoint, at, _ := strings.Cut(os.Getenv("IAP_TEST_CRASH_AT"), "/")
	countdown, err := strconv.Atoi(at)
	if err != nil {
		t.Fatal(err)
	}
	db := openFile(t, path, store.Options{Failpoint: func(name string) {
		if name != failpoint {
			return
		}
		if countdown--; countdown == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}})
	for i := range 100 {
		e := &event.Event{ID: strconv.Itoa(i), Source: "/test"}
		if err := db.AppendEvents(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("number %d\n", e.Number)
	}
}

func TestCrash(t *testing.T) {
	for _, failpoint := range []string{"store.commit.before", "store.commit.after"} {
		t.Run(failpoint, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "iap.db")
			cmd := exec.Command(os.Args[0], "-test.run=^TestCrashWriter$")
			cmd.Env = append(os.Environ(), crashFile+"="+path, "IAP_TEST_CRASH_AT="+failpoint+"/20")
			out, err := cmd.Output()
			if err == nil {
				t.Fatal("the process was not killed")
			}
			told := int64(0)
			for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
				_, _ = fmt.Sscanf(s.Text(), "number %d", &told)
			}
			if told != 19 {
				t.Fatalf("the last number that was told is %d", told)
			}
			want := map[string]int64{"store.commit.before": 19, "store.commit.after": 20}[failpoint]
			db := openFile(t, path, store.Options{})
			last, err := db.LastEventNumber(context.Background())
			if err != nil || last != want {
				t.Errorf("the last number kept is %d, %v; want %d", last, err, want)
			}
			events, err := db.EventsAfter(context.Background(), 0, 100)
			if err != nil || int64(len(events)) != want {
				t.Errorf("%d events were kept, %v", len(events), err)
			}
		})
	}
}
