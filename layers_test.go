package iap_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/internal-app-portal/iap"

// ranks says how far from the core a package is; imports go to a lower rank,
// or within one for those that are named in within.
var ranks = map[string]int{
	"": 0, "lifetime": 0,
	"asl": 1, "asl/value": 1, "asl/jsonpath": 1, "asl/jsonata": 1, "asl/intrinsic": 1, "asl/edit": 1, "asl/items": 1, "hostname": 1,
	"event": 2, "event/delivery": 2, "auth": 2, "catalog": 2, "job": 2, "workflow": 2, "workflow/memory": 2, "workflow/maprun": 2, "bucket": 2, "workflow/cases": 2, "instance": 2, "health": 2, "task": 2, "schedule": 2, "leak": 2, "booking": 2, "certify": 2,
	"store": 3, "event/broker": 3, "event/intake": 3, "event/send": 3, "runner/local": 3, "platform/docker": 3, "telemetry": 3, "task/httpcall": 3, "task/tell": 3, "task/reference": 3, "examples": 3,
	"api": 4, "client": 4, "sfn": 4, "tfstate": 4, "web": 4, "proxy": 4, "cli": 4,
	"server": 5, "cmd/iap": 6, "bench": 6,
}

// within are the imports inside a rank that are meant: the domain is built on
// its own log and catalogue, the edges on the wire types.
var within = map[string][]string{
	"lifetime": {},
	"asl":      {"asl/value", "asl/jsonpath", "asl/jsonata", "asl/intrinsic"},
	"asl/edit": {"asl", "asl/value"}, "asl/items": {"asl", "asl/value"},
	"asl/jsonpath": {"asl/value"}, "asl/jsonata": {"asl/value"}, "asl/intrinsic": {"asl/value", "asl/jsonpath"},
	"event/delivery": {"event"}, "event/send": {"task/httpcall", "event/broker"}, "event/intake": {"event/broker"},
	"catalog":  {"event"},
	"job":      {"event"},
	"workflow": {"event", "task", "workflow/memory", "workflow/maprun", "bucket"}, "bucket": {},
	"workflow/maprun": {"bucket"}, "workflow/memory": {"workflow/maprun", "bucket"}, "workflow/cases": {"workflow/memory"},
	"instance": {"event", "catalog", "job", "workflow", "health", "task"},
	"schedule": {"event", "workflow"}, "certify": {"catalog", "instance", "job", "workflow", "task"}, "booking": {"event", "catalog", "instance", "workflow", "task", "schedule"},
	"leak": {"event", "instance", "job", "task", "workflow"},
	"api":  {"client"}, "task/reference": {"task/httpcall", "task/tell"}, "cli": {"client", "sfn"}, "proxy": {}, "web": {"proxy"},
}

func TestImportsGoDown(t *testing.T) {
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && file != "." || hasGoMod(file)) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		check(t, filepath.ToSlash(file))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func hasGoMod(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil && dir != "."
}

func check(t *testing.T, file string) {
	from := path.Dir(file)
	if from == "." {
		from = ""
	}
	rank, ok := ranks[from]
	if !ok {
		return // examples, tools and helpers of tests may import what they like
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		to, ours := strings.CutPrefix(p, module)
		if !ours {
			if from == "" && strings.Contains(strings.Split(p, "/")[0], ".") {
				t.Errorf("%s imports %s: the root package uses the standard library alone", file, p)
			}
			continue
		}
		to = strings.TrimPrefix(to, "/")
		below, known := ranks[to]
		switch {
		case !known:
			t.Errorf("%s imports %s, which has no rank in this test", file, p)
		case below < rank || below == rank && slices.Contains(within[from], to):
		default:
			t.Errorf("%s (rank %d) must not import %s (rank %d)", file, rank, p, below)
		}
	}
}
