package event

// Settings is the section "events" of the configuration.
type Settings struct {
	// Sources are those who may send events that are signed as Standard Webhooks
	// prescribes, without a person's token.
	Sources []SignedSource `yaml:"sources"`
	// Subscriptions are those at message brokers from which events are taken.
	Subscriptions []Subscribed `yaml:"subscriptions"`
	// Keep says how long events are kept; nil: DefaultKeepAge and DefaultKeepCount.
	Keep *Keep `yaml:"keep"`
	// Mail is the server by which targets of kind mail are written to.
	Mail MailServer `yaml:"mail"`
}

// SignedSource is who signs the events that it sends.
type SignedSource struct {
	Name   string `yaml:"name"`   // for people
	Secret string `yaml:"secret"` // "whsec_…"
}

// Subscribed is a subscription at a message broker.
type Subscribed struct {
	Name string `yaml:"name"` // for people
	URL  string `yaml:"url"`  // nats://SUBJECT, rabbit://QUEUE, awssqs://…
}

// Secrets returns the secrets of the sources by their names.
func (s Settings) Secrets() map[string]string {
	out := map[string]string{}
	for _, x := range s.Sources {
		out[x.Name] = x.Secret
	}
	return out
}

// The ways in which a mail server is spoken to.
const (
	MailStartTLS = "starttls" // begins in the clear and must go over to TLS
	MailTLS      = "tls"      // TLS from the first byte
	MailPlain    = "none"     // no TLS: for a server on the same machine
)

// MailServer is an SMTP server that takes messages from the portal.
type MailServer struct {
	Server   string `yaml:"server"` // host, or host:port; the port is 587, with MailTLS 465, with MailPlain 25
	TLS      string `yaml:"tls"`    // one of the ways; empty: MailStartTLS
	CA       string `yaml:"ca"`     // file of PEM certificates that are trusted; empty: the system's
	User     string `yaml:"user"`   // empty: no login
	Password string `yaml:"password"`
	From     string `yaml:"from"` // "Portal <portal@example.com>"
}
