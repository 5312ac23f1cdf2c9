package client

import "time"

// App is an entry of the catalogue.
type App struct {
	Slug         string    `json:"slug"`
	Name         string    `json:"name"`
	Description  string    `json:"description"`
	Version      int       `json:"version" doc:"Number of the newest version that people can have; of the newest where they can have none"`
	Newest       int       `json:"newest" doc:"Number of the newest version"`
	Retired      bool      `json:"retired" doc:"Hidden from those who deploy"`
	ReadySeconds float64   `json:"ready_seconds,omitempty" doc:"Usual seconds from click to ready; absent: unknown"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Manifest     Manifest  `json:"manifest" doc:"That of version"`
}

// AppVersion is one immutable version of an app.
type AppVersion struct {
	App       string    `json:"app"`
	Number    int       `json:"number"`
	Manifest  Manifest  `json:"manifest"`
	BundleSHA string    `json:"bundle_sha256,omitempty" doc:"Absent: the platform's built-in bundle"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`

	Certification Certification `json:"certification"`
}

// Certification is what is known of a version's certification.
type Certification struct {
	State     string    `json:"state,omitempty" enum:"waiting,running,passed,failed,skipped" doc:"People can have what has passed or was skipped; absent: the portal certified no versions then"`
	At        time.Time `json:"at,omitzero" doc:"When that was found out"`
	By        string    `json:"by,omitempty" doc:"Who skipped it, or had it tried again"`
	Step      string    `json:"step,omitempty" doc:"At which it failed"`
	Reason    string    `json:"reason,omitempty" doc:"Why it failed, or was skipped"`
	Instance  string    `json:"instance,omitempty"`
	Job       string    `json:"job,omitempty" doc:"ID of the job whose log tells more"`
	Execution string    `json:"execution,omitempty"`
}

// Done reports whether it has come to something.
func (c Certification) Done() bool { return c.State != "waiting" && c.State != "running" }

// Manifest is the content of an iap.yaml with all defaults filled in.
type Manifest struct {
	Slug          string            `json:"slug"`
	Name          string            `json:"name"`
	Description   string            `json:"description,omitempty"`
	Icon          string            `json:"icon,omitempty"`
	Image         string            `json:"image"`
	Port          int               `json:"port"`
	Health        Health            `json:"health"`
	Environment   map[string]string `json:"environment,omitempty"`
	Parameters    []Parameter       `json:"parameters,omitempty"`
	Limits        Limits            `json:"limits"`
	Instances     int               `json:"instances,omitempty" doc:"How many may live at once; absent: any number"`
	TimeLimit     string            `json:"time_limit" doc:"A length of time: \"8h\""`
	TimeLimitMost string            `json:"time_limit_most,omitempty" doc:"The longest that may be asked for: \"24h\""`
	IdleLimit     string            `json:"idle_limit,omitempty" doc:"How long an instance may be without use before it ends: \"30m\"; absent: for ever"`
	WarningBar    bool              `json:"warning_bar,omitempty" doc:"Whether its pages show a bar before an instance ends"`
	PricePerHour  *float64          `json:"price_per_hour,omitempty" doc:"What an instance costs for an hour, in the portal's currency; absent: by the limits"`
	Watts         *float64          `json:"watts,omitempty" doc:"What an instance needs; absent: by the limits"`
	ReadOnlyRoot  *bool             `json:"read_only_root,omitempty"`
	Tags          []string          `json:"tags,omitempty"`
	Bundle        string            `json:"bundle,omitempty"`
	Network       string            `json:"network,omitempty" enum:"bundle,portal" doc:"Who makes an instance's network; absent: the bundle, or without one the portal"`
}

// Health says how the portal finds out that the app answers.
type Health struct {
	Path     string `json:"path"`
	Deadline string `json:"deadline" doc:"A length of time: \"60s\""`
}

// Limits are what an instance may use at most.
type Limits struct {
	Memory string  `json:"memory" doc:"\"256MiB\""`
	CPUs   float64 `json:"cpus"`
	PIDs   int     `json:"pids"`
}

// Parameter is a value that a person chooses when deploying.
type Parameter struct {
	Name        string   `json:"name"`
	Label       string   `json:"label,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type" enum:"string,number,boolean,choice"`
	Default     any      `json:"default,omitempty"`
	Choices     []string `json:"choices,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Required    bool     `json:"required,omitempty"`
	Secret      bool     `json:"secret,omitempty"`
}

// Upload is a new version of an app.
type Upload struct {
	Manifest []byte // iap.yaml
	Bundle   []byte // zip of the bundle's folder; empty: the platform's built-in bundle
	Icon     []byte // the file that the manifest's icon names; empty: the icon is text
	// SkipCertification lets people have it at once; for admins.
	SkipCertification bool
}
