package event

import (
	"embed"
	"encoding/json"
	"strings"
	"sync"
)

// schemas are the JSON Schemas of the data of the portal's own events, a file for
// each type. Who an event is about is beside them, as x-source, x-subject, x-owner.
//
//go:embed schema/*.json
var schemas embed.FS

// Described is what is documented of a type of the portal's own events.
type Described struct {
	Type        string `json:"-"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Source      string `json:"x-source"`  // of its events
	Subject     string `json:"x-subject"` // what their subject is
	Owner       string `json:"x-owner"`   // whom they concern
	// Examples are of the data.
	Examples []json.RawMessage `json:"examples"`
	// Schema is the JSON Schema (2020-12) of the data.
	Schema json.RawMessage `json:"-"`
}

// described reads the schemas once. They are part of the program: what is wrong
// with them is a fault of it.
var described = sync.OnceValue(func() []Described {
	files, err := schemas.ReadDir("schema")
	if err != nil {
		panic(err)
	}
	var out []Described
	for _, f := range files {
		b, err := schemas.ReadFile("schema/" + f.Name())
		if err != nil {
			panic(err)
		}
		d := Described{Type: strings.TrimSuffix(f.Name(), ".json"), Schema: b}
		if err := json.Unmarshal(b, &d); err != nil {
			panic(f.Name() + ": " + err.Error())
		}
		out = append(out, d)
	}
	return out
})

// Types returns what is documented of the portal's own types of events, by name.
func Types() []Described { return append([]Described(nil), described()...) }

// Describe returns what is documented of a type; false when nothing is.
func Describe(typ string) (Described, bool) {
	for _, d := range described() {
		if d.Type == typ {
			return d, true
		}
	}
	return Described{}, false
}

// SchemaPath is the path of the portal at which the schema of a type is.
func SchemaPath(typ string) string { return "/api/v1/event-types/" + typ }
