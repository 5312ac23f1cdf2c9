package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"

	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/task"
)

// configFile is the flag that names the configuration file. It is read before
// the flags get their values from elsewhere.
type configFile string

// BeforeResolve is called by kong.
func (f configFile) BeforeResolve(parser *kong.Kong, ctx *kong.Context, trace *kong.Path, r *run) error {
	path, _ := ctx.FlagValue(trace.Flag).(configFile)
	if path == "" {
		path = f
	}
	if path == "" || ctx.Selected() == nil || ctx.Selected().Name != "serve" {
		return nil
	}
	data, err := os.ReadFile(string(path))
	if err != nil {
		return exitf(codeUsage, "the configuration cannot be read: %w", err)
	}
	values, sections, err := parseConfig(data, configKeys(ctx.Selected()))
	if err != nil {
		return exitf(codeUsage, "%s: %w", path, err)
	}
	if serve, ok := ctx.Selected().Target.Addr().Interface().(*serveCmd); ok {
		serve.Login, serve.Tasks, serve.Events = sections.login, sections.tasks, sections.events
	}
	ctx.AddResolver(configResolver(values))
	return nil
}

// configKeys returns what may stand in the file: the command's flags by name.
func configKeys(serve *kong.Node) []string {
	keys := []string{"login", "tasks", "events"}
	for _, flag := range serve.Flags {
		if flag.Name != "config" && flag.Name != "help" {
			keys = append(keys, flag.Name)
		}
	}
	sort.Strings(keys)
	return keys
}

// configResolver gives flags their values from the file. A flag whose
// environment variable is set keeps that.
func configResolver(values map[string]any) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, set := os.LookupEnv(name); set {
				return nil, nil
			}
		}
		return values[flag.Name], nil
	})
}

// sections are the parts of the file that no flag holds.
type sections struct {
	login  auth.Login
	tasks  task.Settings
	events event.Settings
}

// parseConfig reads the file's YAML: one mapping, its keys among known.
func parseConfig(data []byte, known []string) (map[string]any, sections, error) {
	var s sections
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); err == io.EOF {
		return nil, s, nil
	} else if err != nil {
		return nil, s, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, s, errors.New("is not a mapping of names to values")
	}
	values := map[string]any{}
	var errs []error
	pairs := doc.Content[0].Content
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := pairs[i], pairs[i+1]
		name := strings.ReplaceAll(key.Value, "_", "-")
		_, twice := values[name]
		switch {
		case !slices.Contains(known, name):
			errs = append(errs, fmt.Errorf("line %d: unknown key %q%s", key.Line, key.Value, suggest(key.Value, known)))
		case twice:
			errs = append(errs, fmt.Errorf("line %d: %q is there twice", key.Line, key.Value))
		case name == "login":
			values[name] = nil
			errs = append(errs, parseLogin(value, &s.login))
		case name == "tasks":
			values[name] = nil
			errs = append(errs, parseTasks(value, &s.tasks))
		case name == "events":
			values[name] = nil
			errs = append(errs, parseEvents(value, &s.events))
		case value.Kind != yaml.ScalarNode:
			errs = append(errs, fmt.Errorf("line %d: %s must be a single value", value.Line, key.Value))
		default:
			values[name] = value.Value
		}
	}
	delete(values, "login")
	delete(values, "tasks")
	delete(values, "events")
	return values, s, errors.Join(errs...)
}

// parseLogin reads the section login; keys that do not exist are errors.
func parseLogin(node *yaml.Node, login *auth.Login) error {
	if err := checkKeys(node, []string{"people"}); err != nil {
		return err
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		for _, person := range node.Content[i+1].Content {
			if err := checkKeys(person, []string{"id", "name", "role", "token_sha256", "access_keys"}); err != nil {
				return err
			}
		}
	}
	if err := node.Decode(login); err != nil {
		return fmt.Errorf("line %d: login: %w", node.Line, err)
	}
	return nil
}

// parseTasks reads the section tasks; keys that do not exist are errors.
func parseTasks(node *yaml.Node, settings *task.Settings) error {
	if err := checkKeys(node, []string{"http", "notify"}); err != nil {
		return err
	}
	known := map[string][]string{"http": {"allow", "connections"}, "notify": {"webhook"}}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if err := checkKeys(node.Content[i+1], known[node.Content[i].Value]); err != nil {
			return err
		}
	}
	if err := node.Decode(settings); err != nil {
		return fmt.Errorf("line %d: tasks: %w", node.Line, err)
	}
	return nil
}

// parseEvents reads the section events; keys that do not exist are errors.
func parseEvents(node *yaml.Node, settings *event.Settings) error {
	known := map[string][]string{"sources": {"name", "secret"}, "subscriptions": {"name", "url"},
		"mail": {"server", "tls", "ca", "user", "password", "from"}, "keep": {"age", "count"}}
	if err := checkKeys(node, slices.Sorted(maps.Keys(known))); err != nil {
		return err
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		keys, value := known[node.Content[i].Value], node.Content[i+1]
		parts := []*yaml.Node{value}
		if value.Kind == yaml.SequenceNode {
			parts = value.Content
		}
		for _, part := range parts {
			if err := checkKeys(part, keys); err != nil {
				return err
			}
		}
	}
	if err := node.Decode(settings); err != nil {
		return fmt.Errorf("line %d: events: %w", node.Line, err)
	}
	return nil
}

func checkKeys(node *yaml.Node, known []string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: a mapping with %s belongs here", node.Line, strings.Join(known, ", "))
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(known, key.Value) {
			return fmt.Errorf("line %d: unknown key %q%s", key.Line, key.Value, suggest(key.Value, known))
		}
	}
	return nil
}

// yamlText writes a text as a YAML scalar.
func yamlText(s string) string {
	b, err := yaml.Marshal(s)
	if err != nil {
		return fmt.Sprintf("%q", s)
	}
	return strings.TrimSpace(string(b))
}
