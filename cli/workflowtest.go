package cli

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/sfn"
	"github.com/internal-app-portal/iap/workflow/cases"
	"github.com/internal-app-portal/iap/workflow/memory"
)

type workflowTestCmd struct {
	Paths    []string `arg:"" name:"path" help:"Files of cases, or folders: their files that end in .jsonl." complete:"file"`
	Only     string   `help:"Run the cases whose ID has this text in it." placeholder:"TEXT"`
	Skip     []string `help:"Do not run the case with this ID; may be repeated." placeholder:"ID" sep:"none"`
	RealTime bool     `help:"Waits, time-outs and retries take their time."`
}

// Help is shown below the flags.
func (c *workflowTestCmd) Help() string {
	return `A file has one case a line, a JSON object such as

  {"id": "pays", "definition": {…}, "inputText": "{\"sum\": 3}",
   "mocks": {"Charge card": [{"return": {"receipt": 42}}]},
   "expect": {"status": "SUCCEEDED", "output": {"receipt": 42}}}

Prints how many cases passed, failed and were skipped, and of each that failed
the first difference. The exit code is 1 when one has failed.

See "iap help workflow" for all fields.`
}

// testResult is what test writes as JSON.
type testResult struct {
	Files []fileResult `json:"files"`
}

type fileResult struct {
	File     string          `json:"file"`
	Passed   int             `json:"passed"`
	Failed   int             `json:"failed"`
	Skipped  int             `json:"skipped"`
	Failures []failureResult `json:"failures"`
}

// failureResult is a case that failed; want and got are null when there is
// nothing at that place.
type failureResult struct {
	ID   string          `json:"id"`
	At   string          `json:"at"`
	Want json.RawMessage `json:"want"`
	Got  json.RawMessage `json:"got"`
}

func (c *workflowTestCmd) Run(r *run) error {
	files, err := caseFiles(c.Paths)
	if err != nil {
		return err
	}
	o := cases.Options{Clock: memory.Virtual, Env: localEnv(), Skip: c.skip, Refuse: sfn.Refusal}
	if c.RealTime {
		o.Clock = memory.Real
	}
	out, failed := testResult{Files: []fileResult{}}, 0
	for _, name := range files {
		f, err := cases.RunFile(r.ctx, name, o)
		if err != nil {
			if r.ctx.Err() != nil {
				return err
			}
			return exitf(codeUsage, "%w", err)
		}
		failed += f.Failed
		out.Files = append(out.Files, fileJSON(f))
		if !r.json() {
			r.writeFile(f)
		}
	}
	if r.json() {
		if err := r.writeJSON(out); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &exitError{code: codeFailed}
	}
	return nil
}

func (c *workflowTestCmd) skip(k *cases.Case) string {
	switch {
	case slices.Contains(c.Skip, k.ID):
		return "it is to be skipped"
	case !strings.Contains(k.ID, c.Only):
		return "its ID has not the text"
	}
	return ""
}

func fileJSON(f cases.File) fileResult {
	out := fileResult{File: f.Name, Passed: f.Passed, Failed: f.Failed, Skipped: f.Skipped, Failures: []failureResult{}}
	for _, x := range f.Failures {
		out.Failures = append(out.Failures, failureResult{ID: x.ID, At: x.At, Want: rawOrNull(x.Want), Got: rawOrNull(x.Got)})
	}
	return out
}

func rawOrNull(j value.JSON) json.RawMessage {
	if j.IsZero() {
		return json.RawMessage("null")
	}
	return json.RawMessage(j.String())
}

func (r *run) writeFile(f cases.File) {
	for _, x := range f.Failures {
		r.print("FAIL%s%s", gap, printable(x.ID))
		r.print("      %s", printable(x.String()))
	}
	r.print("%s: %d passed, %d failed, %d skipped", printable(f.Name), f.Passed, f.Failed, f.Skipped)
}

// caseFiles lists the files of cases that paths name, folders with all below
// them.
func caseFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fileError(path, err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		found := 0
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(name, ".jsonl") {
				files = append(files, name)
				found++
			}
			return err
		})
		if err != nil {
			return nil, fileError(path, err)
		}
		if found == 0 {
			return nil, exitf(codeUsage, "there is no file that ends in .jsonl in the folder %s", path)
		}
	}
	return files, nil
}
