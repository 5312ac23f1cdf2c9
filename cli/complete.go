package cli

import (
	"context"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/internal-app-portal/iap/client"
)

// completeTime is how long a shell waits for the portal's names at most.
const completeTime = 700 * time.Millisecond

// candidate is a word that may stand where the cursor is.
type candidate struct{ word, about string }

// complete prints what may follow words, the last of which is begun: one word
// a line, a tab, what it is. ":file" alone leaves it to the shell. It never
// fails: a shell has nowhere to show an error.
func complete(r *run, words []string) int {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	parser, _, err := newParser(r)
	if err != nil {
		return 0
	}
	c := &completer{r: r, node: parser.Model.Node, server: getenv("IAP_SERVER")}
	for _, found := range c.candidates(words[:len(words)-1], words[len(words)-1]) {
		r.print("%s\t%s", printable(found.word), printable(found.about))
	}
	return 0
}

// completer follows the words that are whole.
type completer struct {
	r      *run
	node   *kong.Node
	args   int        // positional arguments before the cursor
	first  string     // the first of them
	flag   *kong.Flag // a flag whose value is at the cursor
	server string
	plain  bool // after "--"
}

func (c *completer) candidates(before []string, begun string) []candidate {
	for _, w := range before {
		c.take(w)
	}
	if c.flag != nil {
		return c.values(c.flag.Value, begun, "")
	}
	if name, value, ok := strings.Cut(begun, "="); ok && strings.HasPrefix(name, "--") && !c.plain {
		if f := c.findFlag(name); f != nil {
			return c.values(f.Value, value, name+"=")
		}
		return nil
	}
	if strings.HasPrefix(begun, "-") && !c.plain {
		return c.flags(begun)
	}
	if len(c.node.Children) > 0 && c.args == 0 {
		var out []candidate
		for _, n := range c.node.Children {
			if !n.Hidden && strings.HasPrefix(n.Name, begun) {
				out = append(out, candidate{n.Name, n.Help})
			}
		}
		return out
	}
	if len(c.node.Positional) == 0 {
		return nil
	}
	i := min(c.args, len(c.node.Positional)-1)
	if i < c.args && !c.node.Positional[i].IsCumulative() {
		return nil
	}
	return c.values(c.node.Positional[i], begun, "")
}

// take goes past a word that is whole.
func (c *completer) take(word string) {
	switch {
	case c.flag != nil:
		if c.flag.Name == "server" {
			c.server = word
		}
		c.flag = nil
	case c.plain:
		c.argument(word)
	case word == "--":
		c.plain = true
	case strings.HasPrefix(word, "-"):
		name, value, whole := strings.Cut(word, "=")
		f := c.findFlag(name)
		if f == nil || f.IsBool() {
			return
		}
		if !whole {
			c.flag = f
		} else if f.Name == "server" {
			c.server = value
		}
	default:
		if n := childOf(c.node, word); n != nil && c.args == 0 {
			c.node = n
			return
		}
		c.argument(word)
	}
}

func (c *completer) argument(word string) {
	if c.args == 0 {
		c.first = word
	}
	c.args++
}

// findFlag returns a flag of the command or of those above it.
func (c *completer) findFlag(word string) *kong.Flag {
	for n := c.node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if word == "--"+f.Name || (f.Short != 0 && word == "-"+string(f.Short)) {
				return f
			}
		}
	}
	return nil
}

func (c *completer) flags(begun string) (out []candidate) {
	for n := c.node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if word := "--" + f.Name; !f.Hidden && strings.HasPrefix(word, begun) {
				out = append(out, candidate{word, f.Help})
			}
		}
	}
	return out
}

// values returns what may stand for a flag or an argument, each with prefix.
func (c *completer) values(v *kong.Value, begun, prefix string) (out []candidate) {
	var found []candidate
	switch v.Tag.Get("complete") {
	case "file":
		return []candidate{{word: ":file"}}
	case "topic":
		for _, t := range append(topicNames(), childNames(c.r.parser.Model.Node)...) {
			found = append(found, candidate{word: t})
		}
	case "status":
		for _, st := range allStatuses {
			found = append(found, candidate{word: st})
		}
	case "param":
		return c.params(begun, prefix)
	case "app", "instance", "job", "schedule":
		return c.names(v.Tag.Get("complete"), begun, prefix)
	default:
		for _, word := range v.EnumSlice() {
			found = append(found, candidate{word: word})
		}
	}
	for _, f := range found {
		if strings.HasPrefix(f.word, begun) {
			out = append(out, candidate{prefix + f.word, f.about})
		}
	}
	return out
}

// names asks the portal. An instance is found by any part of its name.
func (c *completer) names(kind, begun, prefix string) (out []candidate) {
	cl, err := client.New(c.server, getenv("IAP_TOKEN"))
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.r.ctx, completeTime)
	defer cancel()
	add := func(fits bool, word, about string) {
		if fits {
			out = append(out, candidate{prefix + word, about})
		}
	}
	switch kind {
	case "app":
		apps, _ := cl.Apps(ctx)
		for _, a := range apps {
			add(strings.HasPrefix(a.Slug, begun), a.Slug, a.Name)
		}
	case "instance":
		list, _ := cl.Instances(ctx, client.InstanceFilter{Status: liveStatuses, Limit: 200})
		for _, i := range list.Items {
			add(strings.Contains(i.HostName, begun), i.HostName, statusWords(i.Status))
		}
	case "schedule":
		list, _ := cl.Schedules(ctx)
		for _, s := range list {
			add(strings.HasPrefix(s.Name, begun), s.Name, s.Cron)
		}
	case "job":
		list, _ := cl.Jobs(ctx, client.JobFilter{Limit: 50})
		for _, j := range list.Items {
			add(strings.HasPrefix(j.ID, begun), j.ID, j.Kind+" "+j.App+", "+statusWords(j.Status))
		}
	}
	return out
}
