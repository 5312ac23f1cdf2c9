package catalog

import _ "embed"

// Schema is the JSON Schema (draft 2020-12) of iap.yaml, by which editors
// complete and check it while it is written.
//
//go:embed iap.schema.json
var Schema []byte
