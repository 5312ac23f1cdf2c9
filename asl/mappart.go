package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// MapLabel is the label of the distributed Map state whose children run a graph,
// "" when there is none.
func (m *Machine) MapLabel(graph int) string {
	for _, g := range m.Graphs {
		for _, s := range g.States {
			if s.Type != TypeMap || s.spec.iterate.run == nil || s.Graphs[0].Number != graph {
				continue
			}
			return or(s.spec.iterate.run.label, labelOf(s.Name))
		}
	}
	return ""
}

// Part is the text of the processor of the Map state whose iterations run a
// graph, in the text src that m was parsed from.
func (m *Machine) Part(src []byte, graph int) (json.RawMessage, error) {
	for _, g := range m.Graphs {
		for _, s := range g.States {
			if s.Type != TypeMap || s.Graphs[0].Number != graph {
				continue
			}
			state, err := textAt(src, s.pointer)
			if err != nil {
				return nil, err
			}
			var fields struct{ ItemProcessor, Iterator json.RawMessage }
			err = json.Unmarshal(state, &fields)
			if fields.ItemProcessor == nil {
				fields.ItemProcessor = fields.Iterator
			}
			return fields.ItemProcessor, err
		}
	}
	return nil, fmt.Errorf("asl: no Map state has the graph %d", graph)
}

// textAt finds the value at a JSON Pointer.
func textAt(text json.RawMessage, pointer string) (json.RawMessage, error) {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = unescape.Replace(part)
		if n, err := strconv.Atoi(part); err == nil && bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
			var list []json.RawMessage
			if err := json.Unmarshal(text, &list); err != nil || n < 0 || n >= len(list) {
				return nil, fmt.Errorf("asl: there is nothing at %s", pointer)
			}
			text = list[n]
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(text, &object); err != nil || object[part] == nil {
			return nil, fmt.Errorf("asl: there is nothing at %s", pointer)
		}
		text = object[part]
	}
	return text, nil
}
