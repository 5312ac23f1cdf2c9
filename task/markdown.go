package task

import (
	"fmt"
	"strings"
)

// Markdown writes the documentation of tasks as a page.
func Markdown(docs []Doc) string {
	var b strings.Builder
	b.WriteString(head)
	for _, d := range docs {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", d.Key(), anchor(d.Title), d.Title)
	}
	for _, d := range docs {
		d.markdown(&b)
	}
	b.WriteString(tail)
	return b.String()
}

const head = `# Tasks

What a Task state can call in the portal. This page is written by ` + "`iap workflow tasks --markdown`" + `.

| Resource | |
| --- | --- |
`

const tail = `
## What the operator decides

In the portal's configuration file:

` + "```yaml" + `
tasks:
  http:
    # what http:invoke may connect to beside public addresses
    allow: ["ci.internal:8080", 10.1.0.0/16]
    # secrets that go with requests for their own hosts alone
    connections:
      ci:
        hosts: ["ci.internal:8080"]
        headers: {Authorization: "Bearer …"}
  notify:
    # messages are posted here as well
    webhook: https://chat.example.com/hooks/portal
` + "```" + `

A task acts for the person who started the execution, with what that person may do at that moment; what the portal
itself starts may do all.
`

// anchor is the fragment that a heading gets on the usual sites.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return -1
	}, strings.ToLower(title))
}

func (d Doc) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n`%s`", d.Title, d.Resource)
	for _, s := range d.Suffixes {
		fmt.Fprintf(b, ", `%s`", s)
	}
	for _, a := range d.Also {
		fmt.Fprintf(b, ", also `%s`", a)
	}
	fmt.Fprintf(b, "\n\n%s\n\n%s\n", d.Text, d.Who)
	table(b, "Argument", d.Arguments)
	table(b, "Result", d.Result)
	if len(d.Errors) > 0 {
		b.WriteString("\n| Error | when |\n| --- | --- |\n")
		for _, e := range d.Errors {
			fmt.Fprintf(b, "| `%s` | %s |\n", e.Name, cell(e.Text))
		}
	}
	fmt.Fprintf(b, "\n```json\n%s\n```\n", d.Example)
}

func table(b *strings.Builder, title string, fields []Field) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s | type | |\n| --- | --- | --- |\n", title)
	rows(b, "", fields)
}

func rows(b *strings.Builder, at string, fields []Field) {
	for _, f := range fields {
		text := cell(f.Text)
		if f.Required {
			text = "Required. " + text
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", join(at, f.Name), f.Type, text)
		rows(b, join(at, f.Name), f.Fields)
	}
}

// cell keeps a text within its cell of a table.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }
