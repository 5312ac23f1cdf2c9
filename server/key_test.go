package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/server"
)

// A portal that dies while it makes its key starts the next time, and the key
// that it kept once stays.
func TestKilledWhileTheKeyIsMade(t *testing.T) {
	for n, point := range []string{"key.write.before", "key.write.after", "key.link.after"} {
		t.Run(point, func(t *testing.T) {
			dir := t.TempDir()
			c := child{Data: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", DieAt: n + 1, Trace: filepath.Join(dir, "trace")}
			<-startChild(t, c).done
			trace, err := os.ReadFile(c.Trace)
			if err != nil || !strings.HasSuffix(string(trace), point+"\n") {
				t.Fatalf("it died elsewhere: %q %v", trace, err)
			}
			path := filepath.Join(c.Data, "key")
			before, _ := os.ReadFile(path)
			cfg := testConfig(t)
			cfg.Data = c.Data
			startPortal(t, cfg)
			key, err := os.ReadFile(path)
			if err != nil || len(key) != 32 || (len(before) > 0 && string(before) != string(key)) {
				t.Errorf("the key has %d bytes, before %d: %v", len(key), len(before), err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v %v", info, err)
			}
		})
	}
}

func TestForeignKeyIsNotWrittenOver(t *testing.T) {
	cfg := testConfig(t)
	path := filepath.Join(cfg.Data, "key")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "4 bytes") {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "mine" {
		t.Errorf("it holds %q", b)
	}
}
