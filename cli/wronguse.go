package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// wrongUse tells what is wrong with a command line and where its help is.
func (r *run) wrongUse(err error) int {
	var exit *exitError
	if errors.As(err, &exit) { // what a command itself finds says what to do
		r.complain(err)
		return exit.code
	}
	node := r.parser.Model.Node
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil {
		for _, p := range parse.Context.Path {
			if p.Command != nil {
				node = p.Command
			}
		}
		err = usageError(err, node)
	}
	r.complain(err)
	path, _, _ := strings.Cut(node.FullPath(), " (") // without the other names of the command
	r.note("see: %s --help", path)
	return codeUsage
}

// usageError says in the command line's own words what the parser found.
func usageError(err error, node *kong.Node) error {
	text := err.Error()
	if word, found := strings.CutPrefix(text, "unexpected argument "); found && len(node.Children) > 0 {
		word, _, _ = strings.Cut(word, ", did you mean")
		near := suggest(word, commandWords(node))
		if near == "" {
			near = "; there are: " + strings.Join(childNames(node), ", ")
		}
		return fmt.Errorf("there is no command %q%s", strings.TrimPrefix(node.FullPath()+" "+word, "iap "), near)
	}
	if _, found := strings.CutPrefix(text, "expected one of "); found && len(node.Children) > 0 {
		return fmt.Errorf("say what to do: %s", node.FullPath()+" "+strings.Join(childNames(node), "|"))
	}
	if missing, found := strings.CutPrefix(text, "expected "); found && strings.HasPrefix(missing, `"<`) {
		return fmt.Errorf("%s is missing%s", strings.Trim(missing, `"`), choices(missing, node))
	}
	flag, rest, _ := strings.Cut(text, ": ")
	if strings.HasPrefix(rest, "missing value") || strings.HasSuffix(rest, "(<EOL>)") {
		return fmt.Errorf("%s: its value is missing%s", flag, wanted(flag, node))
	}
	return err
}

// choices names what an argument may be, where that is a few words.
func choices(missing string, node *kong.Node) string {
	for _, p := range node.Positional {
		if p.Enum != "" && strings.HasPrefix(missing, `"<`+p.Name+">") {
			return ": want " + strings.Join(p.EnumSlice(), ", ")
		}
	}
	return ""
}

// wanted says of which form a flag's value is.
func wanted(name string, node *kong.Node) string {
	for _, group := range node.AllFlags(false) {
		for _, f := range group {
			if "--"+f.Name == name && f.PlaceHolder != "" {
				return "; want " + name + "=" + f.PlaceHolder
			}
		}
	}
	return ""
}

// emptyArgument finds an argument that must be given and is empty, as a shell
// makes it of a variable that is not set.
func emptyArgument(ctx *kong.Context) error {
	for _, p := range ctx.Path {
		if p.Positional == nil || !p.Positional.Required {
			continue
		}
		given := p.Positional.Target.Interface()
		if words, several := given.([]string); given == "" || several && slices.Contains(words, "") {
			return fmt.Errorf("<%s> is empty", p.Positional.Name)
		}
	}
	return nil
}

// commandWords are the names and the other names of a node's commands.
func commandWords(node *kong.Node) []string {
	words := childNames(node)
	for _, n := range node.Children {
		words = append(words, n.Aliases...)
	}
	return words
}
