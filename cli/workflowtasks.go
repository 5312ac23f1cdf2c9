package cli

import (
	"strings"

	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/task/reference"
)

type workflowTasksCmd struct {
	Name     string `arg:"" optional:"" name:"task" help:"Show this one whole, such as http:invoke."`
	Markdown bool   `help:"Write all of them as a page in Markdown."`
}

func (c *workflowTasksCmd) Run(r *run) error {
	docs := reference.Docs()
	if c.Name != "" {
		d, err := findTask(docs, c.Name)
		if err != nil {
			return err
		}
		docs = []task.Doc{d}
	}
	switch {
	case r.json() && c.Name != "":
		return r.writeJSON(docs[0])
	case r.json():
		return r.writeJSON(docs)
	case c.Markdown:
		_, err := r.out.Write([]byte(task.Markdown(docs)))
		return err
	case c.Name != "":
		showTask(r, docs[0])
		return nil
	}
	t := &table{head: []string{"TASK", "WHAT IT DOES", "WHOSE"}}
	for _, d := range docs {
		t.add(d.Key()+strings.Join(append([]string{""}, d.Suffixes...), " "), d.Title, strings.TrimSuffix(d.Who, "."))
	}
	t.write(r.out, r.width, nil)
	return nil
}

// findTask finds a task by its key or by the whole resource, with any suffix.
func findTask(docs []task.Doc, name string) (task.Doc, error) {
	var keys []string
	for _, d := range docs {
		if d.Key() == name {
			return d, nil
		}
		for _, n := range d.Names() {
			if n == name || strings.TrimPrefix(n, task.Prefix) == name {
				return d, nil
			}
		}
		keys = append(keys, d.Key())
	}
	return task.Doc{}, exitf(codeNotFound, "there is no task %q%s", name, suggest(name, keys))
}

func showTask(r *run, d task.Doc) {
	r.print("%s: %s", d.Resource, d.Title)
	for _, other := range d.Names()[1:] {
		r.print("%s", other)
	}
	r.print("\n%s\n%s", d.Text, d.Who)
	showFields(r, "ARGUMENT", d.Arguments)
	showFields(r, "RESULT", d.Result)
	t := &table{head: []string{"ERROR", "WHEN"}}
	for _, e := range d.Errors {
		t.add(e.Name, e.Text)
	}
	r.print("")
	t.write(r.out, r.width, nil)
	r.print("\n%s", d.Example)
}

func showFields(r *run, title string, fields []task.Field) {
	if len(fields) == 0 {
		return
	}
	t := &table{head: []string{title, "TYPE", "", "WHAT"}}
	addFields(t, "", fields)
	r.print("")
	t.write(r.out, r.width, nil)
}

func addFields(t *table, at string, fields []task.Field) {
	for _, f := range fields {
		required := ""
		if f.Required {
			required = "required"
		}
		t.add(at+f.Name, string(f.Type), required, f.Text)
		addFields(t, at+f.Name+".", f.Fields)
	}
}
