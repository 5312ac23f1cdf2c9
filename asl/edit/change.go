package edit

import (
	"encoding/json"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// Change is one edit of a definition. States are known by their names, which
// are unique in the whole of a definition.
type Change struct {
	// Do is add, join, cut, remove, rename or start.
	Do string `json:"do"`
	// Type of the state to add; its fields are those of Body, if given, else the
	// least that its type needs.
	Type string          `json:"type,omitempty"`
	Body json.RawMessage `json:"body,omitempty"`
	// From is the state that is changed. To add: the state behind which, or
	// empty. Owner is then the Parallel or Map state in which, or empty.
	From  string `json:"from,omitempty"`
	Owner string `json:"owner,omitempty"`
	// To is where a way leads, or the new name.
	To string `json:"to,omitempty"`
	// Kind and Index tell which way out of From is meant: see Edge. To join,
	// an empty kind means the one that fits the state.
	Kind  asl.EdgeKind `json:"kind,omitempty"`
	Index int          `json:"index,omitempty"`
}

// Apply makes a change and returns the new text and the name of the state to
// look at. The error is Invalid and says what does not fit; a text that is not
// JSON gives a *value.SyntaxError.
func Apply(src []byte, c Change) (out []byte, name string, err error) {
	root, err := parse(src)
	if err != nil {
		return nil, "", err
	}
	e := &editor{src: src, root: root, states: map[string]*place{}}
	e.find(root, nil, 0)
	switch c.Do {
	case "add":
		name, err = e.add(c)
	case "join":
		name, err = c.From, e.join(c)
	case "cut":
		name, err = c.From, e.cut(c)
	case "remove":
		err = e.remove(c.From)
	case "rename":
		name, err = c.To, e.rename(c.From, c.To)
	case "start":
		name, err = c.From, e.start(c.From)
	default:
		err = invalid("do", "%q is no change; it is add, join, cut, remove, rename or start", c.Do)
	}
	if err != nil {
		return nil, "", err
	}
	return e.splice(), name, nil
}

func invalid(field, format string, args ...any) error {
	return iap.FieldErrorf("edit.Apply", field, format, args...)
}

// place is a state in the text and the region that it is in.
type place struct {
	*node
	region *node
}

// editor gathers the edits of one change.
type editor struct {
	src    []byte
	root   *node
	states map[string]*place
	edits  []splice
}

// splice replaces src[at:end].
type splice struct {
	at, end int
	text    string
}

func (e *editor) replace(at, end int, text string) {
	e.edits = append(e.edits, splice{at, end, text})
}

// splice makes the new text.
func (e *editor) splice() []byte {
	slices.SortStableFunc(e.edits, func(a, b splice) int { return a.at - b.at })
	var out []byte
	last := 0
	for _, s := range e.edits {
		if s.at < last { // within what another one took away
			continue
		}
		out = append(append(out, e.src[last:s.at]...), s.text...)
		last = s.end
	}
	return append(out, e.src[last:]...)
}

// find gathers all states.
func (e *editor) find(region, _ *node, depth int) {
	states := region.field("States")
	if !states.isObject() || depth > maxDepth {
		return
	}
	for _, s := range states.kids {
		if _, twice := e.states[s.key]; !twice && s.isObject() {
			e.states[s.key] = &place{s, region}
		}
		for _, r := range regionsOf(s) {
			e.find(r, s, depth+1)
		}
	}
}

func regionsOf(s *node) []*node {
	out := slices.Clone(s.items("Branches"))
	for _, key := range []string{"ItemProcessor", "Iterator"} {
		if p := s.field(key); p.isObject() {
			out = append(out, p)
		}
	}
	return out
}

func (e *editor) state(field, name string) (*place, error) {
	if s, ok := e.states[name]; ok {
		return s, nil
	}
	return nil, invalid(field, "there is no state %q", name)
}

// set gives a member of an object a value: JSON text, written as it is.
func (e *editor) set(o *node, key, text string) {
	if f := o.field(key); f != nil {
		e.replace(f.at, f.end, text)
		return
	}
	e.insert(o, len(o.kids), quote(key)+": "+text)
}

// insert puts a member or an element into an object or an array, at the end or
// before another, formatted as its neighbours are.
func (e *editor) insert(into *node, index int, text string) {
	if len(into.kids) == 0 {
		if _, array := into.v.(value.Array); array || !strings.Contains(text, "\n") {
			e.replace(into.at+1, into.end-1, pad(into, text))
			return
		}
		indent := e.indentOf(into.at)
		e.replace(into.at+1, into.end-1, "\n"+indent+e.unit()+text+"\n"+indent)
		return
	}
	if index < len(into.kids) {
		next := into.kids[index]
		e.replace(begin(next), begin(next), text+","+e.gap(into))
		return
	}
	last := into.kids[len(into.kids)-1]
	e.replace(last.end, last.end, ","+e.gap(into)+text)
}

func pad(into *node, text string) string {
	if _, array := into.v.(value.Array); array {
		return text
	}
	return " " + text + " "
}

// drop takes a member or an element away, with the comma that belongs to it.
func (e *editor) drop(from, kid *node) {
	i := slices.Index(from.kids, kid)
	switch {
	case len(from.kids) == 1:
		e.replace(from.at+1, from.end-1, "")
	case i > 0:
		e.replace(from.kids[i-1].end, kid.end, "")
	default:
		e.replace(begin(kid), begin(from.kids[1]), "")
	}
}

// begin is where a member, or an element, begins.
func begin(n *node) int {
	if n.keyAt > 0 {
		return n.keyAt
	}
	return n.at
}

// gap is the white space between the members of an object, as it is there.
func (e *editor) gap(in *node) string {
	if len(in.kids) > 1 {
		a, b := in.kids[len(in.kids)-2], in.kids[len(in.kids)-1]
		between := string(e.src[a.end:begin(b)])
		return between[strings.IndexByte(between, ',')+1:]
	}
	return string(e.src[in.at+1 : begin(in.kids[0])])
}

// indentOf is the white space with which the line of an offset begins.
func (e *editor) indentOf(offset int) string {
	start := strings.LastIndexByte(string(e.src[:offset]), '\n') + 1
	end := start
	for end < len(e.src) && (e.src[end] == ' ' || e.src[end] == '\t') {
		end++
	}
	return string(e.src[start:end])
}

// unit is one level of indentation: that of the first member of the text.
func (e *editor) unit() string {
	if len(e.root.kids) > 0 {
		between := string(e.src[e.root.at+1 : e.root.kids[0].keyAt])
		if i := strings.LastIndexByte(between, '\n'); i >= 0 && len(between) > i+1 {
			return between[i+1:]
		}
	}
	return "  "
}

func quote(s string) string { return value.Text(s) }
