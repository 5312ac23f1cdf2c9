package catalog

// MaxManifest is the size of an iap.yaml in bytes that is taken at most.
const MaxManifest = 1 << 20

// ParseManifest reads an iap.yaml, fills in defaults and checks every field.
// The error joins one Invalid error for each field that is wrong; each names
// the field as a path ("parameters[1].default") and its line.
func ParseManifest(src []byte) (Manifest, error) { return Manifest{}, nil }

// Resolve checks what a person gives for the parameters (texts from a form or
// a command line, or JSON values) and returns the value of every parameter,
// typed (string, float64 or bool), and the environment of the container with
// the values put in. Errors join one Invalid error for each parameter that is
// wrong, with the field "parameters.NAME".
func (m Manifest) Resolve(input map[string]any) (params map[string]any, env map[string]string, err error) {
	return nil, nil, nil
}

// Secrets returns the texts of the secret parameters' values among params, for
// what must never show them.
func (m Manifest) Secrets(params map[string]any) []string { return nil }
