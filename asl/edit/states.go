package edit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// bodies are the least that each type of state needs, without its end.
var bodies = map[asl.StateType]string{
	asl.TypePass:    `{"Type": "Pass"}`,
	asl.TypeTask:    `{"Type": "Task", "Resource": "arn:iap:states:::http:invoke"}`,
	asl.TypeChoice:  `{"Type": "Choice", "Choices": []}`,
	asl.TypeWait:    `{"Type": "Wait", "Seconds": 60}`,
	asl.TypeSucceed: `{"Type": "Succeed"}`,
	asl.TypeFail:    `{"Type": "Fail", "Error": "Failed", "Cause": "Say here what went wrong."}`,
	asl.TypeParallel: `{"Type": "Parallel", "Branches": [
		{"StartAt": "%[1]s", "States": {"%[1]s": {"Type": "Pass", "End": true}}},
		{"StartAt": "%[2]s", "States": {"%[2]s": {"Type": "Pass", "End": true}}}]}`,
	asl.TypeMap: `{"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "%[1]s", "States": {"%[1]s": {"Type": "Pass", "End": true}}}}`,
}

// add puts a new state into a region, behind another when one is named.
func (e *editor) add(c Change) (string, error) {
	region := e.root
	var after *place
	var err error
	switch {
	case c.From != "":
		if after, err = e.state("from", c.From); err != nil {
			return "", err
		}
		region = after.region
	case c.Owner != "":
		if region, err = e.regionOf(c.Owner, c.Index); err != nil {
			return "", err
		}
	}
	body, err := e.body(c)
	if err != nil {
		return "", err
	}
	name := e.free(c.To, c.Type)
	next := e.chain(after, name, c)
	for _, m := range next {
		body = withMember(body, m)
	}
	states := region.field("States")
	if !states.isObject() {
		e.first(region, states, name, body)
		return name, nil
	}
	indent := e.indentOf(states.at) + e.unit()
	index := len(states.kids)
	if after != nil {
		index = indexOf(states, after.node) + 1
	}
	e.insert(states, index, quote(name)+": "+e.pretty(body, indent))
	if region.str("StartAt") == "" {
		e.set(region, "StartAt", quote(name))
	}
	return name, nil
}

// first writes the States of a region that has none, and what it starts with.
func (e *editor) first(region, states *node, name string, body value.Value) {
	indent := e.indentOf(region.at) + e.unit()
	text := "{\n" + indent + e.unit() + quote(name) + ": " + e.pretty(body, indent+e.unit()) + "\n" + indent + "}"
	if states != nil {
		e.replace(states.at, states.end, text)
	} else {
		text = quote("States") + ": " + text
		if region.field("StartAt") == nil {
			text = quote("StartAt") + ": " + quote(name) + ",\n" + indent + text
		}
		e.insert(region, len(region.kids), text)
	}
	if f := region.field("StartAt"); f != nil && f.v == "" {
		e.replace(f.at, f.end, quote(name))
	}
}

func (e *editor) regionOf(owner string, index int) (*node, error) {
	s, err := e.state("owner", owner)
	if err != nil {
		return nil, err
	}
	regions := regionsOf(s.node)
	if index < 0 || index >= len(regions) {
		return nil, invalid("index", "%q has %d branches", owner, len(regions))
	}
	return regions[index], nil
}

// body is what the new state is, but for its way out.
func (e *editor) body(c Change) (*value.Object, error) {
	text := string(c.Body)
	if text == "" {
		t, ok := bodies[asl.StateType(c.Type)]
		if !ok {
			return nil, invalid("type", "%q is no type of state; it is Task, Pass, Choice, Wait, Succeed, Fail, Parallel or Map", c.Type)
		}
		text = t
		if strings.Contains(t, "%[1]s") {
			text = fmt.Sprintf(t, e.free("", "Pass"), e.freeAfter("Pass", 1))
			text, _, _ = strings.Cut(text, "%!(EXTRA") // a Map needs one name alone
		}
	}
	v, err := value.Parse([]byte(text))
	if err != nil {
		return nil, invalid("body", "it is not JSON: %v", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, invalid("body", "it must be an object: the fields of the state")
	}
	return o, nil
}

// chain leads the way from the state before into the new one, and gives the
// members with which the new one goes on where that one went.
func (e *editor) chain(after *place, name string, c Change) []value.Member {
	end := []value.Member{{Key: "End", Value: true}}
	switch asl.StateType(c.Type) {
	case asl.TypeSucceed, asl.TypeFail:
		if after != nil && after.str("Next") != "" {
			return nil // nothing comes behind these: what there is is not cut off
		}
	}
	if after != nil && joins(after.str("Type")) {
		if next := after.str("Next"); next != "" {
			end = []value.Member{{Key: "Next", Value: next}}
		}
		e.lead(after.node, name)
	} else if after != nil && after.str("Type") == string(asl.TypeChoice) {
		_ = e.way(after, Change{To: name}, e.fits(after)) // of a Choice each kind that fits is one it has
	}
	switch asl.StateType(c.Type) {
	case asl.TypeSucceed, asl.TypeFail:
		return nil
	case asl.TypeChoice:
		if end[0].Key == "Next" {
			return []value.Member{{Key: "Default", Value: end[0].Value}}
		}
		return nil
	}
	return end
}

// joins tells whether a state of a type has a Next.
func joins(t string) bool {
	switch asl.StateType(t) {
	case asl.TypeChoice, asl.TypeSucceed, asl.TypeFail:
		return false
	}
	return true
}

func withMember(o *value.Object, m value.Member) *value.Object {
	if _, ok := o.Get(m.Key); ok {
		return o
	}
	o = o.Clone()
	o.Set(m.Key, m.Value)
	return o
}

// free is a name that no state has: the wanted one, or the type's with a number.
func (e *editor) free(wanted, kind string) string {
	if wanted == "" {
		wanted = kind
	}
	if wanted == "" {
		wanted = "State"
	}
	return e.freeAfter(wanted, 0)
}

func (e *editor) freeAfter(name string, skip int) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s %d", name, n)
		}
		if _, taken := e.states[try]; taken {
			continue
		}
		if skip == 0 {
			return try
		}
		skip--
	}
}

// pretty writes a value as the rest of the text is written.
func (e *editor) pretty(v value.Value, indent string) string {
	text := []byte(value.Text(v))
	var b bytes.Buffer
	oneLine := len(e.states) > 0 && !bytes.Contains(e.src, []byte("\n"))
	if oneLine || json.Indent(&b, text, indent, e.unit()) != nil {
		return string(text)
	}
	return b.String()
}

// maxName is how many characters the name of a state may have.
const maxName = 80

// rename gives a state another name, and all that lead to it.
func (e *editor) rename(from, to string) error {
	s, err := e.state("from", from)
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(to); n == 0 || n > maxName {
		return invalid("to", "the name of a state has 1 to %d characters; this one has %d", maxName, n)
	}
	if _, taken := e.states[to]; taken && from != to {
		return invalid("to", "there is a state %q already", to)
	}
	e.replace(s.keyAt, s.keyAt+len(e.keyText(s.node)), quote(to))
	for _, r := range e.references(s) {
		e.replace(r.at, r.end, quote(to))
	}
	return nil
}

// keyText is a member's key as it is written.
func (e *editor) keyText(n *node) string {
	s := scanner{src: e.src, i: n.keyAt}
	s.text()
	return string(e.src[n.keyAt:s.i])
}

// remove takes a state away; what led to it leads to where it led.
func (e *editor) remove(name string) error {
	s, err := e.state("from", name)
	if err != nil {
		return err
	}
	states := s.region.field("States")
	next := s.str("Next")
	if next == "" {
		next = s.str("Default")
	}
	if next == name || e.states[next] == nil || e.states[next].region != s.region {
		next = ""
	}
	for _, r := range e.references(s) {
		if within(s.node, r.node) {
			continue
		}
		e.leadAway(r, next)
	}
	e.drop(states, s.node)
	return nil
}

func within(outer, n *node) bool { return n.at >= outer.at && n.end <= outer.end }

func indexOf(parent, kid *node) int {
	for i, k := range parent.kids {
		if k == kid {
			return i
		}
	}
	return len(parent.kids) - 1
}
