package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/cli"
)

// runCLI runs the command line on files of a folder of its own.
func runCLI(t *testing.T, files map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, a := range args {
		if strings.HasPrefix(a, "@@") {
			args[i] = "@" + filepath.Join(dir, a[2:])
		} else if _, ok := files[a]; ok {
			args[i] = filepath.Join(dir, a)
		}
	}
	var stdout, stderr bytes.Buffer
	code = cli.Main(t.Context(), args, strings.NewReader(""), &stdout, &stderr, cli.Hooks{})
	return code, stdout.String(), stderr.String()
}

const passMachine = `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`

func TestWorkflowsOfHostileFiles(t *testing.T) {
	deep := strings.Repeat(`[`, 10_000) + strings.Repeat(`]`, 10_000)
	for name, text := range map[string]string{
		"empty": "", "blank": " \n", "nested": deep, "large": `"` + strings.Repeat("x", 20<<20) + `"`, "no UTF-8": "{\"a\":\"\xff\xfe\"}",
		"NUL": "{\"a\":\"\x00\"}", "twice": `{"a":1,"a":2}`, "huge number": `{"a":1e400}`, "NaN": `{"a":NaN}`, "more behind": `{} {}`,
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"hostile.json": text, "good.json": passMachine}
			for _, args := range [][]string{{"workflow", "validate", "hostile.json"}, {"workflow", "run", "hostile.json"},
				{"workflow", "run", "good.json", "--input", "@@hostile.json"}, {"workflow", "run", "good.json", "--mock", "hostile.json"},
				{"workflow", "test", "hostile.json"}} {
				code, out, errs := runCLI(t, files, args...)
				if code != 1 && code != 2 || len(out)+len(errs) == 0 || len(out)+len(errs) > 4096 {
					t.Errorf("%v: exit code %d, %d and %d bytes: %.300s%.300s", args, code, len(out), len(errs), out, errs)
				}
			}
		})
	}
}

func TestWorkflowResultIsHarmless(t *testing.T) {
	files := map[string]string{"good.json": passMachine, "input.json": "{\"a\":\"\u009b31m\u202e\\u001b[2J\"}"}
	code, out, _ := runCLI(t, files, "workflow", "run", "good.json", "--input", "@@input.json")
	if code != 0 || strings.ContainsAny(out, "\u009b\u202e\x1b") {
		t.Errorf("exit code %d: %q", code, out)
	}
}
