package event

// Settings is the section "events" of the configuration.
type Settings struct {
	// Sources are those who may send events that are signed as Standard Webhooks
	// prescribes, without a person's token.
	Sources []SignedSource `yaml:"sources"`
}

// SignedSource is who signs the events that it sends.
type SignedSource struct {
	Name   string `yaml:"name"`   // for people
	Secret string `yaml:"secret"` // "whsec_…"
}

// Secrets returns the secrets of the sources by their names.
func (s Settings) Secrets() map[string]string {
	out := map[string]string{}
	for _, x := range s.Sources {
		out[x.Name] = x.Secret
	}
	return out
}
