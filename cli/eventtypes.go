package cli

import (
	"bytes"
	"encoding/json"
)

type eventTypesCmd struct {
	Type string `arg:"" optional:"" help:"Show the JSON Schema of the data of this type."`
}

func (c *eventTypesCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	if c.Type != "" {
		schema, err := cl.EventSchema(r.ctx, c.Type)
		if err != nil {
			return err
		}
		if r.json() {
			return r.writeJSON(schema)
		}
		var out bytes.Buffer
		if err := json.Indent(&out, schema, "", "  "); err != nil {
			return err
		}
		r.print("%s", out.String())
		return nil
	}
	types, err := cl.EventTypes(r.ctx)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(types.Items)
	}
	t := &table{head: []string{"TYPE", "TELLS THAT", "SUBJECT"}}
	for _, x := range types.Items {
		t.add(x.Type, x.Title, x.Subject)
	}
	t.write(r.out, r.width, nil)
	return nil
}
