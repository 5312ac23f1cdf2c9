package client

import "time"

// Instance is one person's running copy of an app.
type Instance struct {
	ID          string         `json:"id" doc:"Identifier, 26 characters"`
	App         string         `json:"app" doc:"Slug of the app"`
	Version     int            `json:"version" doc:"Number of the app's version"`
	Owner       string         `json:"owner" doc:"Who deployed it"`
	HostName    string         `json:"host_name" doc:"DNS label: three words and the app's name"`
	Status      string         `json:"status" enum:"queued,deploying,checking,running,destroying,destroyed,deploy_failed,destroy_failed"`
	URL         string         `json:"url" doc:"Address of the app; empty unless the instance is running"`
	CreatedAt   time.Time      `json:"created_at,omitzero"`
	EndsAt      time.Time      `json:"ends_at,omitzero" doc:"When it ends, by whatever comes first: see end; when it ended, once it has"`
	TimeLimitAt time.Time      `json:"time_limit_at,omitzero" doc:"When its own time is up"`
	Reason      string         `json:"reason" doc:"Why it failed; empty unless it did"`
	Waiting     string         `json:"waiting,omitempty" doc:"What it waits for"`
	ReadyAt     time.Time      `json:"ready_at,omitzero"`
	EndedAt     time.Time      `json:"ended_at,omitzero"`
	EndedBy     string         `json:"ended_by,omitempty" doc:"Who ended it; \"portal\" when its time was up"`
	EndReason   string         `json:"end_reason,omitempty"`
	End         *End           `json:"end,omitempty" doc:"When it ends if nobody destroys it before, and by what; while it lives"`
	KeepUntil   time.Time      `json:"keep_until,omitzero" doc:"Up to when the sweep spares it"`
	KeepReason  string         `json:"keep_reason,omitempty"`
	Activity    *Activity      `json:"activity,omitempty" doc:"The last use of its app; absent: none yet"`
	IdleLimit   string         `json:"idle_limit,omitempty" doc:"How long it may be without use before it ends; absent: for ever"`
	Booking     string         `json:"booking,omitempty" doc:"ID of the booking that it is for"`
	OpensAt     time.Time      `json:"opens_at,omitzero" doc:"Its URL leads to the app from then on"`
	Receipt     *Receipt       `json:"receipt,omitempty" doc:"Proof of the destroy"`
	Values      map[string]any `json:"parameters,omitempty" doc:"Values of the parameters; secret ones are masked"`
}

// Ended reports whether the life of the instance is over.
func (i Instance) Ended() bool {
	return i.Status == StatusDestroyed || i.Status == StatusDeployFailed || i.Status == StatusDestroyFailed
}

// The statuses of an instance.
const (
	StatusQueued        = "queued"
	StatusDeploying     = "deploying"
	StatusChecking      = "checking"
	StatusRunning       = "running"
	StatusDestroying    = "destroying"
	StatusDestroyed     = "destroyed"
	StatusDeployFailed  = "deploy_failed"
	StatusDestroyFailed = "destroy_failed"
)

// Receipt says what is left of an instance after its destroy.
type Receipt struct {
	At      time.Time  `json:"at"`
	Left    []Resource `json:"left" nullable:"false" doc:"What still carries the instance's label; empty: nothing is left"`
	Removed []Resource `json:"removed,omitempty" doc:"What the portal found by label and removed"`
}

// Resource is something on a platform that carries an instance's label.
type Resource struct {
	Platform string `json:"platform"`
	Kind     string `json:"kind"`
	ID       string `json:"id"`
	Name     string `json:"name"`
}

// Progress is the way of an instance so far.
type Progress struct {
	Status          string         `json:"status"`
	Steps           []ProgressStep `json:"steps" nullable:"false"`
	ExpectedSeconds float64        `json:"expected_seconds,omitempty" doc:"Usual seconds from click to ready; 0: unknown"`
}

// ProgressStep is a segment of the way.
type ProgressStep struct {
	Name      string    `json:"name"`
	Title     string    `json:"title"`
	State     string    `json:"state" enum:"pending,active,done,failed"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Note      string    `json:"note,omitempty"`
}

// DeployRequest asks for an instance of an app.
type DeployRequest struct {
	App        string         `json:"app" minLength:"1" maxLength:"63" doc:"Slug of the app"`
	Version    int            `json:"version,omitempty" minimum:"0" maximum:"1000000000" doc:"Number of the version; 0 or absent: the newest"`
	Parameters map[string]any `json:"parameters,omitempty" doc:"Values by the parameters' names: texts or JSON values"`
	For        string         `json:"for,omitempty" maxLength:"40" doc:"Its time limit, such as 2h; absent: the app's"`
}

// Job is one run of a bundle.
type Job struct {
	ID          string    `json:"id"`
	Instance    string    `json:"instance" doc:"ID of the instance"`
	App         string    `json:"app"`
	Version     int       `json:"version"`
	Owner       string    `json:"owner"`
	Kind        string    `json:"kind" enum:"apply,destroy"`
	Status      string    `json:"status" enum:"queued,running,succeeded,failed,cancelled,timed_out"`
	Position    int       `json:"position,omitempty" doc:"Place in the queue, from 1"`
	Waiting     string    `json:"waiting,omitempty" doc:"What it waits for besides its turn"`
	Steps       []JobStep `json:"steps" nullable:"false"`
	Error       string    `json:"error,omitempty" doc:"Name of the error as state machines see it"`
	Reason      string    `json:"reason" doc:"What went wrong; empty unless it failed"`
	CancelledBy string    `json:"cancelled_by,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

// Ended reports whether the job has ended.
func (j Job) Ended() bool { return j.Status != "queued" && j.Status != "running" }

// JobStep is a part of a job.
type JobStep struct {
	Name      string    `json:"name"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Error     string    `json:"error,omitempty"`
}

// Me is who asks.
type Me struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role" enum:"member,publisher,admin"`
}

// VersionInfo tells which program answers.
type VersionInfo struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	API     string `json:"api"`
}

// List is a page of a list, newest first.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Give it as \"before\" for the next page; absent: there is none"`
	Cut   bool   `json:"cut,omitempty" doc:"Of an instance's events: those between the first and the last ones may be missing"`
}
