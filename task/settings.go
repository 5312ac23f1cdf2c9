package task

// Settings are what an operator decides about tasks: the section "tasks" of the
// configuration file.
type Settings struct {
	HTTP   HTTPSettings   `yaml:"http"`
	Notify NotifySettings `yaml:"notify"`
}

// HTTPSettings are those of http:invoke.
type HTTPSettings struct {
	// Allow lists what may be connected to beside public addresses: networks,
	// addresses, hosts with or without a port.
	Allow []string `yaml:"allow"`
	// Connections are secrets for some hosts, by the name that definitions use.
	Connections map[string]ConnectionSettings `yaml:"connections"`
}

// ConnectionSettings are headers for requests to some hosts alone.
type ConnectionSettings struct {
	Hosts   []string          `yaml:"hosts"`
	Headers map[string]string `yaml:"headers"`
}

// NotifySettings are those of notify:send.
type NotifySettings struct {
	// Webhook is a URL to which messages are posted as well; empty: none.
	Webhook string `yaml:"webhook"`
}
