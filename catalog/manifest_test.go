package catalog_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

const full = `slug: white-board
name: Whiteboard
description: Draw together.
icon: icon.svg
image: registry.example.com:5000/team/board@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
port: 3000
health: {path: /ready?x=1, deadline: 1m30s}
environment:
  TITLE: "${title} for $$5"
  PORT_NUMBER: 8080
  DEBUG: true
parameters:
  - {name: title, label: Title, default: Board, pattern: '^.{1,20}$'}
  - {name: seats, type: number, default: 4, min: 1, max: 10}
  - {name: open, type: boolean, default: true}
  - {name: colour, type: choice, choices: [red, green, 3], default: red}
  - {name: password, secret: true, required: true}
limits: {memory: 1GiB, cpus: 0.5, pids: 64}
time_limit: 2d
time_limit_most: 3d
idle_limit: 45m
warning_bar: true
read_only_root: false
tags: [demo, drawing]
bundle: bundle
network: portal
`

const minimal = "slug: todo\nname: Todo\nimage: todo:1\n"

func TestManifest(t *testing.T) {
	m, err := catalog.ParseManifest([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	no := false
	one, ten := 1.0, 10.0
	want := catalog.Manifest{
		Slug: "white-board", Name: "Whiteboard", Description: "Draw together.", Icon: "icon.svg",
		Image: "registry.example.com:5000/team/board@sha256:" + strings.Repeat("a", 64), Port: 3000,
		Health:      catalog.Health{Path: "/ready?x=1", Deadline: catalog.Duration(90 * time.Second)},
		Environment: map[string]string{"TITLE": "${title} for $$5", "PORT_NUMBER": "8080", "DEBUG": "true"},
		Parameters: []catalog.Parameter{
			{Name: "title", Label: "Title", Type: "string", Default: "Board", Pattern: "^.{1,20}$"},
			{Name: "seats", Type: "number", Default: 4.0, Min: &one, Max: &ten},
			{Name: "open", Type: "boolean", Default: true},
			{Name: "colour", Type: "choice", Choices: []string{"red", "green", "3"}, Default: "red"},
			{Name: "password", Type: "string", Secret: true, Required: true},
		},
		Limits: catalog.Limits{Memory: 1 << 30, CPUs: 0.5, PIDs: 64}, TimeLimit: catalog.Duration(48 * time.Hour), TimeLimitMost: catalog.Duration(72 * time.Hour), IdleLimit: catalog.Duration(45 * time.Minute), WarningBar: true,
		ReadOnlyRoot: &no, Tags: []string{"demo", "drawing"}, Bundle: "bundle", Network: "portal",
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

func TestManifestSurvivesJSONAndYAML(t *testing.T) {
	m, err := catalog.ParseManifest([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"memory":"1GiB"`) || !strings.Contains(string(text), `"deadline":"1m30s"`) {
		t.Errorf("got %s", text)
	}
	var back catalog.Manifest
	if err := json.Unmarshal(text, &back); err != nil || cmp.Diff(m, back) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(m, back))
	}
	text, err = yaml.Dump(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := catalog.ParseManifest(text)
	if err != nil || cmp.Diff(m, again) != "" {
		t.Errorf("%v\n%s\n%s", err, text, cmp.Diff(m, again))
	}
}

func TestManifestDefaults(t *testing.T) {
	m, err := catalog.ParseManifest([]byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	want := catalog.Manifest{
		Slug: "todo", Name: "Todo", Image: "todo:1", Port: 8080,
		Health: catalog.Health{Path: "/", Deadline: catalog.Duration(time.Minute)},
		Limits: catalog.Limits{Memory: 256 << 20, CPUs: 1, PIDs: 128}, TimeLimit: catalog.Duration(8 * time.Hour), TimeLimitMost: catalog.Duration(8 * time.Hour), ReadOnlyRoot: &yes,
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

// badFields are manifests with one fault each: the field and words of the
// error that names it.
var badFields = []struct {
	yaml, field, words string
	notInSchema        bool
}{
	{yaml: "name: T\nimage: t", field: "slug", words: "is missing"},
	{yaml: "slug: Todo\nname: T\nimage: t", field: "slug", words: "(line 1)"},
	{yaml: "slug: 1todo\nname: T\nimage: t", field: "slug", words: "lower-case letter"},
	{yaml: "slug: todo-\nname: T\nimage: t", field: "slug", words: "not possible"},
	{yaml: "slug: to--do\nname: T\nimage: t", field: "slug", words: "single dashes"},
	{yaml: "slug: xn--tdo\nname: T\nimage: t", field: "slug", words: "international"},
	{yaml: "slug: " + strings.Repeat("a", 31) + "\nname: T\nimage: t", field: "slug", words: "at most 29"},
	{yaml: "slug: tоdo\nname: T\nimage: t", field: "slug", words: "not possible"}, // a Cyrillic о
	{yaml: "slug: api\nname: T\nimage: t", field: "slug", words: "keeps for itself", notInSchema: true},
	{yaml: "slug: 1\nname: T\nimage: t", field: "slug", words: "put it in quotes"},
	{yaml: "slug: todo\nname: ''\nimage: t", field: "name", words: "is missing"},
	{yaml: "slug: todo\nname: \"a\\nb\"\nimage: t", field: "name", words: "one line", notInSchema: true},
	{yaml: "slug: todo\nname: \"a\\u202Eb\"\nimage: t", field: "name", words: "one line", notInSchema: true},
	{yaml: minimal + "description: " + strings.Repeat("x", 141), field: "description", words: "at most 140"},
	{yaml: minimal + "icon: evil.exe", field: "icon", words: "no kind of picture", notInSchema: true},
	{yaml: minimal + "icon: ../icon.svg", field: "icon", words: "not in the app's folder", notInSchema: true},
	{yaml: "slug: todo\nname: T\nimage: Todo:1", field: "image", words: `want "todo:1"`, notInSchema: true},
	{yaml: "slug: todo\nname: T\nimage: --privileged", field: "image", words: "flags", notInSchema: true},
	{yaml: "slug: todo\nname: T\nimage: 'todo:1 --privileged'", field: "image", words: "flags or spaces", notInSchema: true},
	{yaml: "slug: todo\nname: T\nimage: todo:1:2", field: "image", words: "no image", notInSchema: true},
	{yaml: minimal + "port: 0", field: "port", words: "1 to 65535"},
	{yaml: minimal + "port: 65536", field: "port", words: "1 to 65535"},
	{yaml: minimal + "port: '80'", field: "port", words: "want a whole number, not a text"},
	{yaml: minimal + "port: 80.5", field: "port", words: "want a whole number"},
	{yaml: minimal + "health: /healthz", field: "health", words: "want fields with values"},
	{yaml: minimal + "health: {path: healthz}", field: "health.path", words: "begin with a single /"},
	{yaml: minimal + "health: {path: //evil}", field: "health.path", words: "single /", notInSchema: true},
	{yaml: minimal + "health: {deadline: 2h}", field: "health.deadline", words: "1s to 1h", notInSchema: true},
	{yaml: minimal + "health: {deadline: 30}", field: "health.deadline", words: "a number and a unit"},
	{yaml: minimal + "health: {deadline: }", field: "health.deadline", words: "has no value"},
	{yaml: minimal + "environment: {1A: x}", field: "environment.1A", words: "no name of a variable"},
	{yaml: minimal + "environment: {A: [x]}", field: "environment.A", words: "want a text, not a list"},
	{yaml: minimal + "environment: {A: '${titel}'}\nparameters: [{name: title}]", field: "environment.A", words: `did you mean "title"?`, notInSchema: true},
	{yaml: minimal + "environment: {A: '${title'}", field: "environment.A", words: "without }", notInSchema: true},
	{yaml: minimal + "parameters: {name: x}", field: "parameters", words: "want a list"},
	{yaml: minimal + "parameters: [{label: x}]", field: "parameters[0].name", words: "is missing"},
	{yaml: minimal + "parameters: [{name: Title}]", field: "parameters[0].name", words: "lower-case"},
	{yaml: minimal + "parameters: [{name: host_name}]", field: "parameters[0].name", words: "already use", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a}, {name: a}]", field: "parameters[1].name", words: "twice", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: sting}]", field: "parameters[0].type", words: `did you mean "string"?`},
	{yaml: minimal + "parameters: [{name: a, type: number, default: x}]", field: "parameters[0].default", words: "want a number", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: number, default: .nan}]", field: "parameters[0].default", words: "no number", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: number, default: 1e400}]", field: "parameters[0].default", words: "want a number", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: number, default: 5, max: 4}]", field: "parameters[0].default", words: "too large", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: number, min: 5, max: 4}]", field: "parameters[0].min", words: "more than max", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, default: 5}]", field: "parameters[0].default", words: "put it in quotes", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, default: abc, pattern: '^x'}]", field: "parameters[0].default", words: "does not match ^x", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, pattern: '('}]", field: "parameters[0].pattern", words: "regular expression", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, pattern: '(?=x)'}]", field: "parameters[0].pattern", words: "RE2", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: boolean, default: 'yes'}]", field: "parameters[0].default", words: "true or false", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: choice}]", field: "parameters[0].choices", words: "is missing", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: choice, choices: [red], default: rad}]", field: "parameters[0].default", words: `did you mean "red"?`, notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, type: choice, choices: [x, x]}]", field: "parameters[0].choices[1]", words: "twice"},
	{yaml: minimal + "parameters: [{name: a, choices: [x]}]", field: "parameters[0].choices", words: "type choice", notInSchema: true},
	{yaml: minimal + "parameters: [{name: a, secret: true, default: hunter2}]", field: "parameters[0].default", words: "no default", notInSchema: true},
	{yaml: minimal + "limits: {memory: 5MiB}", field: "limits.memory", words: "6MiB to 64GiB", notInSchema: true},
	{yaml: minimal + "limits: {memory: 64}", field: "limits.memory", words: "a number and a unit"},
	{yaml: minimal + "limits: {memory: -1GiB}", field: "limits.memory", words: "no amount of memory"},
	{yaml: minimal + "limits: {cpus: 0}", field: "limits.cpus", words: "0.01 to 64"},
	{yaml: minimal + "limits: {cpus: .inf}", field: "limits.cpus", words: "no number", notInSchema: true},
	{yaml: minimal + "limits: {pids: 40000}", field: "limits.pids", words: "1 to 32768"},
	{yaml: minimal + "time_limit: 8d", field: "time_limit", words: "1m to 168h", notInSchema: true},
	{yaml: minimal + "idle_limit: 30s", field: "idle_limit", words: "1m to 168h", notInSchema: true},
	{yaml: minimal + "time_limit: 4h\ntime_limit_most: 3h", field: "time_limit_most", words: "shorter than time_limit", notInSchema: true},
	{yaml: minimal + "time_limit_most: 8d", field: "time_limit_most", words: "8h to 168h", notInSchema: true},
	{yaml: minimal + "time_limit: soon", field: "time_limit", words: `like "90s"`},
	{yaml: minimal + "read_only_root: 'yes'", field: "read_only_root", words: "true or false"},
	{yaml: minimal + "tags: [Demo]", field: "tags[0]", words: "no tag"},
	{yaml: minimal + "tags: [a, a]", field: "tags[1]", words: "twice"},
	{yaml: minimal + "bundle: ../other", field: "bundle", words: "not a folder beside", notInSchema: true},
	{yaml: minimal + "bundle: /etc", field: "bundle", words: "not a folder beside", notInSchema: true},
	{yaml: minimal + "bundle: .", field: "bundle", words: "not a folder beside", notInSchema: true},
	{yaml: minimal + "bundle: bundle\nnetwork: host", field: "network", words: `"host" is not possible; want bundle or portal`},
	{yaml: minimal + "network: bundle", field: "network", words: "for an app with a bundle", notInSchema: true},
	{yaml: minimal + "network: portal\nbundle: bundle\nparameters: [{name: network}]", field: "parameters[0].name", words: "already use", notInSchema: true},
	{yaml: minimal + "nmae: x", field: "nmae", words: `unknown field; did you mean "name"? (line 4)`},
	{yaml: minimal + "health: {pathh: /}", field: "health.pathh", words: `did you mean "path"?`},
}

func TestEachBadFieldIsNamed(t *testing.T) {
	for _, bad := range badFields {
		_, err := catalog.ParseManifest([]byte(bad.yaml))
		fields := iap.Fields(err)
		if len(fields) != 1 || fields[0].Field != bad.field || fields[0].Kind != iap.Invalid || !strings.Contains(fields[0].Message(), bad.words) {
			t.Errorf("%q:\n got %v\nwant %s: …%s…", bad.yaml, err, bad.field, bad.words)
		}
	}
}

func TestAllBadFieldsAtOnce(t *testing.T) {
	src := "slug: Todo\nimage: Todo\nport: x\nparameters:\n  - name: A\n  - {name: b, type: number, default: c}\nfoo: 1\n"
	_, err := catalog.ParseManifest([]byte(src))
	var got []string
	for _, f := range iap.Fields(err) {
		line := ""
		if _, after, ok := strings.Cut(f.Message(), "(line "); ok {
			line = strings.TrimSuffix(after, ")")
		}
		got = append(got, f.Field+":"+line)
	}
	want := "port:3 foo:7 slug:1 name: image:2 parameters[0].name:5 parameters[1].default:6"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestHostileYAML(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, src := range map[string]string{
		"empty":       "",
		"null":        "null",
		"text":        "hello",
		"list":        "[1, 2]",
		"two":         minimal + "---\n" + minimal,
		"aliases":     bomb,
		"alias":       "slug: &a todo\nname: *a\nimage: t",
		"merge":       minimal + "health: {<<: {path: /x}}",
		"duplicate":   minimal + "slug: other\n",
		"tag":         "slug: !!python/object todo\nname: T\nimage: t",
		"binary":      "slug: !!binary dG9kbw==\nname: T\nimage: t",
		"deep":        minimal + "health: " + strings.Repeat("[", 10000) + strings.Repeat("]", 10000),
		"deep block":  minimal + "health: " + strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000),
		"not YAML":    "slug: [todo\nname: }",
		"NUL":         "slug: to\x00do",
		"not UTF-8":   "slug: \xff\xfe",
		"large":       minimal + "# " + strings.Repeat("x", 1<<20),
		"complex key": minimal + "? [a, b]\n: c\n",
		"many":        minimal + "tags: [" + strings.Repeat("a,", 100000) + "]",
	} {
		start := time.Now()
		_, err := catalog.ParseManifest([]byte(src))
		if !iap.IsKind(err, iap.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("%s: the error has %d characters", name, len(err.Error()))
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: took %s", name, d)
		}
	}
}

func TestDuplicateKeyNamesBothLines(t *testing.T) {
	_, err := catalog.ParseManifest([]byte(minimal + "slug: other\n"))
	f := iap.Fields(err)
	if len(f) != 1 || f[0].Field != "slug" || f[0].Message() != "is there twice, first in line 1 (line 4)" {
		t.Errorf("got %v", err)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(full))
	for _, bad := range badFields {
		f.Add([]byte(bad.yaml))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := catalog.ParseManifest(src)
		if err != nil {
			return
		}
		text, err := yaml.Dump(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := catalog.ParseManifest(text)
		if err != nil || cmp.Diff(m, again) != "" {
			t.Fatalf("%v\n%s\n%s", err, text, cmp.Diff(m, again))
		}
	})
}
