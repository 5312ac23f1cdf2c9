package delivery

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// FieldType says how a setting is given.
type FieldType string

// The types of settings.
const (
	Text   FieldType = "text"
	List   FieldType = "list"   // of texts
	Switch FieldType = "switch" // on or off
	Choice FieldType = "choice" // one of Choices
	CEL    FieldType = "cel"    // an expression that makes a value of an event
)

// Field is a setting that some kinds of target have. Forms, the command line's
// flags and checks all read it.
type Field struct {
	Name    string // in JSON, as in Settings
	Flag    string // of the command line, without dashes
	Help    string // of the flag
	Holder  string // a word for its value
	Title   string // in forms
	Note    string // in forms: what is to be known
	Example string // in forms: a value
	Type    FieldType
	Choices []string
	// Names says that the setting tells which kind of target it is; a target has
	// one such setting.
	Names bool
}

// KindInfo says what a kind of target is and has.
type KindInfo struct {
	Kind   Kind
	Title  string
	Help   string
	Signed bool // has a secret for signatures
	Fields []Field
}

var (
	fieldPrivate = Field{Name: "private", Flag: "allow-private", Title: "It may be inside: at a private or loopback address", Type: Switch,
		Help: "The target may be inside: at a private or loopback address."}
	fieldAllow = Field{Name: "allow", Flag: "allow", Title: "Networks inside where it may be", Type: List, Holder: "NETWORK",
		Note: "One in a line; none but these, unless all may be reached", Example: "10.20.0.0/16",
		Help: "A network or host inside where the target may be."}
	fieldTitle = Field{Name: "title", Flag: "title", Title: "Title", Type: CEL, Holder: "CEL",
		Note: "CEL for the message’s title; empty: what happened", Example: "data.app + ' failed'",
		Help: "Of a message to people: CEL for its title; default: what happened."}
	fieldText = Field{Name: "text", Flag: "text", Title: "Text", Type: CEL, Holder: "CEL",
		Note: "CEL for the message’s text; empty: the event’s details", Example: "data.reason",
		Help: "Of a message to people: CEL for its text; default: the event's details."}
)

// Kinds returns all kinds of target, in the order in which people are offered
// them.
func Kinds() []KindInfo {
	return []KindInfo{
		{Kind: Webhook, Title: "Webhook", Help: "POSTs the event to a URL, signed as Standard Webhooks.", Signed: true, Fields: []Field{
			{Name: "url", Flag: "webhook", Type: Text, Holder: "URL", Names: true, Help: "POST events, signed as Standard Webhooks, to this URL.",
				Title: "URL", Example: "https://ops.example.com/iap"},
			fieldPrivate, fieldAllow}},
		{Kind: Chat, Title: "Chat", Help: "Writes a message for people to a channel of Slack or Microsoft Teams.", Fields: []Field{
			{Name: "url", Flag: "chat", Type: Text, Holder: "URL", Names: true,
				Help:  "Write messages for people to this incoming webhook of Slack, or workflow of Teams.",
				Title: "URL", Note: "Of an incoming webhook of Slack, or of a workflow of Teams", Example: "https://hooks.slack.com/services/…"},
			{Name: "format", Flag: "format", Type: Choice, Choices: []string{FormatSlack, FormatTeams}, Holder: "FORMAT",
				Help: "Of a chat: slack or teams; default: by its URL.", Title: "Format", Note: "Empty: by its URL"},
			fieldTitle, fieldText, fieldPrivate, fieldAllow}},
		{Kind: Mail, Title: "E-mail", Help: "Writes an e-mail, by the server in the portal’s configuration.", Fields: []Field{
			{Name: "to", Flag: "mail", Type: List, Holder: "ADDRESS", Names: true, Help: "Write e-mail to these addresses.",
				Title: "To", Note: "Addresses, one in a line", Example: "ops@example.com"},
			fieldTitle, fieldText}},
		{Kind: Topic, Title: "Topic", Help: "Publishes the event to a topic of a message broker.", Fields: []Field{
			{Name: "url", Flag: "topic", Type: Text, Holder: "URL", Names: true,
				Help:  "Publish events to this topic: nats://SUBJECT or rabbit://EXCHANGE; with AWS built in awssqs://… or awssns://…",
				Title: "URL", Note: "nats://SUBJECT or rabbit://EXCHANGE; servers and logins come from the portal’s environment", Example: "nats://iap.events"}}},
		{Kind: Execution, Title: "Execution", Help: "Starts an execution of a state machine, named after the event.", Fields: []Field{
			{Name: "machine", Flag: "execution", Type: Text, Holder: "NAME", Names: true, Help: "Start an execution of this state machine.",
				Title: "State machine", Note: "Its name"},
			{Name: "input", Flag: "input", Type: CEL, Holder: "CEL", Help: "Of an execution: CEL for its input; default: the event.",
				Title: "Input", Note: "CEL for its input; empty: the event", Example: "{'app': data.app, 'event': event.id}"}}},
		{Kind: Task, Title: "Task", Help: "Gives a task that waits its result, or ends a job or an instance: so a build that runs elsewhere reports its end.", Fields: []Field{
			{Name: "token", Flag: "task", Type: CEL, Holder: "CEL", Names: true,
				Help:  "Give the waiting task its result whose token this CEL makes of the event: data.token.",
				Title: "Token", Note: "CEL for the task token", Example: "data.token"},
			{Name: "of", Flag: "task-of", Type: CEL, Holder: "CEL", Names: true,
				Help:  "By the ID that this CEL makes: give the task at which an execution waits its result, end a job, or destroy an instance.",
				Title: "Or an ID", Note: "CEL for the ID of an execution whose task waits, of a job, which is ended, or of an instance, which is destroyed", Example: "data.execution"},
			{Name: "state", Flag: "state", Type: Text, Holder: "NAME", Help: "With --task-of: the state of the execution that waits; needed where several do.",
				Title: "State", Note: "Of that execution; needed where several wait"},
			{Name: "output", Flag: "result", Type: CEL, Holder: "CEL", Help: "Of a task or job: CEL for its result; default: the event's data.",
				Title: "Result", Note: "CEL for the result; empty: the event’s data", Example: "{'run': data.run}"},
			{Name: "error", Flag: "error", Type: CEL, Holder: "CEL", Help: "Of a task or job: CEL for the name of its error; empty text: it succeeds.",
				Title: "Error", Note: "CEL for the name of the error; empty, or an empty text: it succeeds", Example: "data.ok ? '' : 'Build.Failed'"},
			{Name: "cause", Flag: "cause", Type: CEL, Holder: "CEL", Help: "Of a task or job: CEL for the cause of its error.",
				Title: "Cause", Note: "CEL for the cause of that error"}}},
	}
}

// KindOf returns what a kind of target is; false when there is no such kind.
func KindOf(k Kind) (KindInfo, bool) {
	all := Kinds()
	i := slices.IndexFunc(all, func(x KindInfo) bool { return x.Kind == k })
	if i < 0 {
		return KindInfo{}, false
	}
	return all[i], true
}

// Needs reports whether a target of the kind must have a field: it is the one that
// says which kind it is.
func (k KindInfo) Needs(f Field) bool {
	return f.Names && !slices.ContainsFunc(k.Fields, func(o Field) bool { return o.Names && o.Name != f.Name })
}

// Where returns the setting that says where a target is.
func (t Target) Where() string {
	info, _ := KindOf(t.Kind)
	given := t.Settings.given()
	for _, f := range info.Fields {
		switch v := given[f.Name].(type) {
		case string:
			return v
		case []string:
			return strings.Join(v, ", ")
		}
	}
	return ""
}

// Field returns where the setting with a name in JSON is: a *string, *[]string or
// *bool; nil where there is none.
func (s *Settings) Field(name string) any {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if jsonName(v.Type().Field(i)) == name {
			return v.Field(i).Addr().Interface()
		}
	}
	return nil
}

// given returns the settings that are not empty by their names in JSON.
func (s Settings) given() map[string]any {
	out := map[string]any{}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0 {
			continue
		}
		out[jsonName(v.Type().Field(i))] = f.Interface()
	}
	return out
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// checkSettings checks a target's settings by the table of kinds. Errors are
// Invalid and name the setting.
func (t Target) checkSettings(op string) error {
	info, ok := KindOf(t.Kind)
	if !ok {
		return iap.FieldErrorf(op, "kind", "%.80q is none of %s", string(t.Kind), kindNames())
	}
	given := t.Settings.given()
	var errs []error
	var naming, names []string
	for _, f := range info.Fields {
		if f.Names {
			names = append(names, f.Name)
			if given[f.Name] != nil {
				naming = append(naming, f.Name)
			}
		}
		errs = append(errs, f.check(op, given[f.Name]))
		delete(given, f.Name)
	}
	for name := range given {
		errs = append(errs, iap.FieldErrorf(op, name, "a target of kind %s has no such setting", t.Kind))
	}
	switch {
	case len(naming) == 0 && len(names) == 1:
		errs = append(errs, iap.FieldErrorf(op, names[0], "it is missing"))
	case len(naming) == 0:
		errs = append(errs, iap.FieldErrorf(op, names[0], "it is missing; give one of %s", strings.Join(names, ", ")))
	case len(naming) > 1:
		errs = append(errs, iap.FieldErrorf(op, naming[1], "there is %s as well; give one of them", naming[0]))
	}
	return errors.Join(errs...)
}

func (f Field) check(op string, v any) error {
	text, ok := v.(string)
	switch {
	case !ok:
		return nil
	case f.Type == CEL:
		_, err := CompileValue(f.Name, text)
		return err
	case f.Type == Choice && !slices.Contains(f.Choices, text):
		return iap.FieldErrorf(op, f.Name, "%.80q is none of %s", text, strings.Join(f.Choices, ", "))
	case len(text) > maxSetting:
		return iap.FieldErrorf(op, f.Name, "it has %d bytes; at most %d are allowed", len(text), maxSetting)
	}
	return nil
}

// maxSetting is the longest text of a setting, in bytes.
const maxSetting = 4096

func kindNames() string {
	var all []string
	for _, k := range Kinds() {
		all = append(all, string(k.Kind))
	}
	return strings.Join(all, ", ")
}
