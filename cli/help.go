package cli

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/alecthomas/kong"
)

//go:embed topics/*.txt
var topics embed.FS

type helpCmd struct {
	Topic []string `arg:"" optional:"" help:"A topic, or a command." complete:"topic"`
}

// topicNames returns the topics in the order of their names.
func topicNames() []string {
	files, err := fs.Glob(topics, "topics/*.txt")
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".txt"))
	}
	return names
}

func (c *helpCmd) Run(r *run) error {
	name := strings.Join(c.Topic, " ")
	if name == "" {
		return r.commandHelp(nil)
	}
	if text, err := fs.ReadFile(topics, "topics/"+path.Base(name)+".txt"); err == nil {
		if r.json() {
			return r.writeJSON(map[string]string{"topic": name, "text": string(text)})
		}
		_, err := r.out.Write(text)
		return err
	}
	return r.commandHelp(c.Topic)
}

// commandHelp prints the help of a command, or of all.
func (r *run) commandHelp(words []string) error {
	node := r.parser.Model.Node
	for _, w := range words {
		next := childOf(node, w)
		if next == nil {
			return exitf(codeUsage, "there is no topic or command %q%s", strings.Join(words, " "),
				suggest(strings.Join(words, " "), append(topicNames(), childNames(r.parser.Model.Node)...)))
		}
		node = next
	}
	ctx, err := kong.Trace(r.parser, words)
	if err != nil {
		return err
	}
	return ctx.PrintUsage(false)
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, n := range node.Children {
		if n.Name == name && !n.Hidden {
			return n
		}
		for _, alias := range n.Aliases {
			if alias == name {
				return n
			}
		}
	}
	return nil
}

func childNames(node *kong.Node) (names []string) {
	for _, n := range node.Children {
		if !n.Hidden {
			names = append(names, n.Name)
		}
	}
	return names
}
