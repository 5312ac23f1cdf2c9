package delivery

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Rule chooses events and says where they go.
type Rule struct {
	Name      string
	When      string   // CEL over the event: "event.type == 'iap.leak.found'"
	Targets   []string // names
	Paused    bool     // chooses nothing
	After     int64    // it chooses among events with higher numbers
	CreatedAt time.Time
	UpdatedAt time.Time
	UpdatedBy string // ID of the person
}

// Kind says what a target is.
type Kind string

// The kinds of targets.
const (
	Webhook   Kind = "webhook"   // POST of the event, signed as Standard Webhooks
	Chat      Kind = "chat"      // POST of a message for people
	Mail      Kind = "mail"      // e-mail
	Topic     Kind = "topic"     // a gocloud.dev/pubsub topic
	Execution Kind = "execution" // starts an execution of a state machine
	Task      Kind = "task"      // gives a waiting task its result
)

// Target is somewhere events go.
type Target struct {
	Name     string
	Kind     Kind
	Settings Settings
	Secret   string // of the signature, "whsec_…"; sealed in the store, with what is left of the last one
	// OldSecret is the one before, by which deliveries are signed as well until
	// OldUntil: so that a receiver can be given the new one meanwhile.
	OldSecret string
	OldUntil  time.Time
	Attempts  int // at most; 0: as many as fit into GiveUpAfter
	Backoff   time.Duration
	Timeout   time.Duration // of one attempt
	Rate      float64       // deliveries a second at most; 0: no limit
	Ordered   bool          // one after the other for each subject
	Paused    bool          // by an admin
	Disabled  string        // why the portal paused it, such as 410; empty: it did not

	CreatedAt time.Time
	UpdatedAt time.Time
	UpdatedBy string
}

// Settings are what only some kinds of target have; Kinds says which.
type Settings struct {
	URL     string   `json:"url,omitempty"`     // webhook, chat, topic
	Format  string   `json:"format,omitempty"`  // chat: FormatSlack or FormatTeams; empty: by its URL
	To      []string `json:"to,omitempty"`      // mail: addresses
	Machine string   `json:"machine,omitempty"` // execution: name of the state machine
	State   string   `json:"state,omitempty"`   // task by Of: the state that waits
	Allow   []string `json:"allow,omitempty"`   // webhook, chat: networks and hosts inside that may be reached
	// Private lets it reach every address inside.
	Private bool `json:"private,omitempty"`
	// CEL over the event.
	Title  string `json:"title,omitempty"`  // chat, mail: the message's title
	Text   string `json:"text,omitempty"`   // chat, mail: its text
	Input  string `json:"input,omitempty"`  // execution: its input; empty: the event
	Token  string `json:"token,omitempty"`  // task: the task token
	Of     string `json:"of,omitempty"`     // task: ID of the execution, job or instance
	Output string `json:"output,omitempty"` // task: its result; empty: the event's data
	Error  string `json:"error,omitempty"`  // task: the name of its error; empty or "" succeeds
	Cause  string `json:"cause,omitempty"`  // task: the cause of its error
}

// The formats of messages to a chat.
const (
	FormatSlack = "slack"
	FormatTeams = "teams"
)

// Active reports whether deliveries are made.
func (t Target) Active() bool { return !t.Paused && t.Disabled == "" }

// Status says how far a delivery is.
type Status string

// The statuses of a delivery.
const (
	Waiting   Status = "waiting"   // for its first or next attempt
	Delivered Status = "delivered" // the target took it
	Dead      Status = "dead"      // given up: a dead letter
	Dropped   Status = "dropped"   // will never be made; Reason says why
)

// Delivery is the way of one event to one target.
type Delivery struct {
	Number    int64 // of the event
	Target    string
	Rule      string // the first that led there
	Subject   string // of the event; what order is kept by
	EventType string
	Status    Status
	Attempt   int       // how many were made
	Since     time.Time // when it was added, or redriven
	NextAt    time.Time // of the next attempt
	EndedAt   time.Time
	Reason    string // why the last attempt failed, or why it was dropped
	Redrive   string // ID of the redrive that it is part of
}

// ID names the delivery: "4711-ci-hook".
func (d Delivery) ID() string { return strconv.FormatInt(d.Number, 10) + "-" + d.Target }

// ParseID is the reverse of Delivery.ID. The error is NotFound.
func ParseID(id string) (number int64, target string, err error) {
	before, target, found := strings.Cut(id, "-")
	number, err = strconv.ParseInt(before, 10, 64)
	if err != nil || !found || number < 1 || !validName(target) {
		return 0, "", iap.Errorf("delivery.ParseID", iap.NotFound, "there is no delivery %.80q", id)
	}
	return number, target, nil
}

// Due is a delivery that is due, with its event.
type Due struct {
	Delivery
	Event event.Event
	// Behind says that an earlier one of its subject has not ended.
	Behind bool
}

// Attempt is one try at a delivery and how it was answered.
type Attempt struct {
	Number  int           // 1, 2, 3, …
	At      time.Time     // when it began
	Took    time.Duration // whole milliseconds
	Code    int           // the answer's status; 0: there was none
	Answer  string        // the first MaxAnswer bytes of the answer
	Error   string        // why it failed; empty: it did not
	Redrive string        // of the delivery at that time
}

// MaxAnswer is how much of an answer is kept, in bytes.
const MaxAnswer = 64 << 10

// Result is what came of an attempt.
type Result struct {
	Code       int
	Answer     string
	Err        string        // empty: it was delivered
	RetryAfter time.Duration // as the target asked; 0: it did not
	Final      bool          // another attempt makes no sense
	Gone       bool          // the target wants no more at all
}

// Health is what is known of a target's deliveries.
type Health struct {
	Waiting, Dead int
	LastOK        time.Time
	LastFailed    time.Time
	LastError     string
	// Failures is how many attempts in a row had failed when that was last noted:
	// exactly whether there were any, and whether they are enough for Down.
	Failures int
}

// Down reports whether so many attempts in a row have failed that the target
// gets few at once, until one succeeds.
func (h Health) Down() bool { return h.Failures >= breakAfter }

// Failing reports whether the last attempt has failed.
func (h Health) Failing() bool { return h.Failures > 0 }

// Filter chooses deliveries; empty fields choose all.
type Filter struct {
	Target    string
	EventType string    // exactly, or with "*" at the end all that begin so
	Since     time.Time // ended not before
	Status    Status
	Number    int64
	Redrive   string
	Before    string // ID of a delivery: those after it, newest events first
	Limit     int
}

// Redrive has dead letters be delivered again: all of some events, or some that
// were chosen one by one.
type Redrive struct {
	ID        string
	Target    string    // empty: of all
	EventType string    // empty: of all
	Since     time.Time // those that died before take no part; zero: all
	UpTo      int64     // number of the last event that takes part
	BegunAt   time.Time
	BegunBy   string // ID of the person
	Taken     bool   // there is no other letter that it has to take
	Told      int    // Progress.Moved as it was told last; -1: never
}

// Progress is how far a redrive is.
type Progress struct {
	Total, Waiting, Delivered, Dead, Dropped int
	// Failing is how many of those that wait have failed at least once.
	Failing int
}

// Ended is how many are delivered, or will never be by this redrive.
func (p Progress) Ended() int { return p.Total - p.Waiting }

// Moved grows with all that becomes of the letters: by one when an attempt is the
// first to fail, by two altogether when a letter has ended.
func (p Progress) Moved() int { return 2*p.Ended() + p.Failing }

// The data of the events that the package tells.
type (
	// DeadLetter is the data of event.DeliveryDead.
	DeadLetter struct {
		Delivery string `json:"delivery"`
		Target   string `json:"target"`
		Rule     string `json:"rule"`
		Number   int64  `json:"number"`
		Type     string `json:"type"`
		Attempts int    `json:"attempts"`
		Reason   string `json:"reason"`
	}
	// RedriveTold is the data of event.RedriveChanged.
	RedriveTold struct {
		Redrive   string    `json:"redrive"`
		By        string    `json:"by"`
		BegunAt   time.Time `json:"begun_at"`
		Target    string    `json:"target,omitempty"` // of the letters; empty: of any
		Type      string    `json:"type,omitempty"`   // of their events; empty: any
		Ended     bool      `json:"ended"`            // it is the last that is told of it
		Total     int       `json:"total"`
		Done      int       `json:"done"` // delivered, dead again or dropped
		Waiting   int       `json:"waiting"`
		Delivered int       `json:"delivered"`
		Dead      int       `json:"dead"`
		Dropped   int       `json:"dropped"`
	}
	// Change is the data of event.RuleChanged and event.TargetChanged.
	Change struct {
		Name   string `json:"name"`
		Action string `json:"action"` // added, changed, paused, resumed, removed, disabled
		By     string `json:"by"`
	}
)

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of types of this package, which have a JSON form
	}
	return b
}
