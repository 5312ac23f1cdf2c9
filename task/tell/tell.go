// Package tell is the tasks by which a state machine tells of something: an
// event in the portal's log, and a message to a person.
package tell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	// EventPrefix is before the type of every event that a state machine tells.
	EventPrefix = "workflow."
	// Notification is the type of the event that is a message to a person; its
	// data are title, text, url, level and execution.
	Notification = "iap.notification"

	errNotAllowed = "Notify.NotAllowed"
	maxData       = 64 << 10
)

// Config is what a Teller needs.
type Config struct {
	Log *event.Log
	Tx  iap.Transactor
	Now func() time.Time
	// Actor returns who a person's ID stands for. An ID that nobody has is a
	// member who has nothing.
	Actor func(id string) iap.Actor
	// Webhook is where messages are posted as well; empty: nowhere.
	Webhook string
	// Client posts them; required with Webhook.
	Client *http.Client
}

// Teller does event:put and notify:send.
type Teller struct{ Config }

// New returns a Teller.
func New(cfg Config) *Teller { return &Teller{cfg} }

// Handlers returns what does the tasks, for the engine.
func (t *Teller) Handlers() map[string]workflow.Handler {
	return map[string]workflow.Handler{
		putDoc.Key():  {Commit: t.put},
		sendDoc.Key(): {Run: t.send},
	}
}

var eventType = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

func (t *Teller) put(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	var a struct {
		Type, Subject string
		Data          json.RawMessage
	}
	err := putDoc.Read(c.Arguments, &a)
	switch {
	case err != nil:
	case !eventType.MatchString(a.Type):
		err = iap.FieldErrorf("", "Type", "%q is not made of small letters, digits, '.', '-' and '_', at most 100 of them", clip(a.Type))
	case len(a.Data) > maxData:
		err = iap.FieldErrorf("", "Data", "it has %d bytes; at most %d are allowed", len(a.Data), maxData)
	default:
		err = line("Subject", a.Subject)
	}
	if err != nil {
		return nil, bad(err)
	}
	e := &event.Event{ID: id(c), Source: source(c), Type: EventPrefix + a.Type, Subject: a.Subject, Time: t.Now(),
		Owner: owner(c), Group: c.Execution, Data: a.Data}
	if e.Subject == "" {
		e.Subject = c.Execution
	}
	if len(e.Data) == 0 || string(e.Data) == "null" {
		e.Data = json.RawMessage("{}")
	}
	if err := t.Log.Append(ctx, e); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"EventId": e.ID, "Type": e.Type})
}

// message is the arguments of notify:send.
type message struct{ To, Title, Text, Url, Level string }

// check fills in what is not set.
func (m *message) check(c workflow.Call) error {
	if m.To == "" {
		m.To = c.Owner
	}
	if m.Level == "" {
		m.Level = "info"
	}
	switch {
	case m.To == "":
		return iap.FieldErrorf("", "To", "it is missing, and nobody in particular started the execution")
	case strings.TrimSpace(m.Title) == "":
		return iap.FieldErrorf("", "Title", "it is empty")
	case utf8.RuneCountInString(m.Text) > 4000:
		return iap.FieldErrorf("", "Text", "it has more than 4,000 characters")
	case m.Level != "info" && m.Level != "warning" && m.Level != "error":
		return iap.FieldErrorf("", "Level", "%q is none of info, warning, error", clip(m.Level))
	}
	u, err := url.Parse(m.Url)
	path := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(m.Url, "/") && !strings.HasPrefix(m.Url, "/\\")
	site := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	if m.Url != "" && !path && !site {
		return iap.FieldErrorf("", "Url", "%q is neither a URL with https or http nor a path of the portal", clip(m.Url))
	}
	return errors.Join(line("To", m.To), line("Title", m.Title), line("Url", m.Url))
}

// line checks that a text is one line of at most 200 characters.
func line(field, s string) error {
	if utf8.RuneCountInString(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return iap.FieldErrorf("", field, "it must be one line of at most 200 characters")
	}
	return nil
}

func (t *Teller) send(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	var m message
	if err := sendDoc.Read(c.Arguments, &m); err != nil {
		return nil, bad(err)
	}
	if err := m.check(c); err != nil {
		return nil, bad(err)
	}
	if !strings.EqualFold(m.To, c.Owner) && !t.Actor(c.Owner).Role.Includes(iap.Admin) {
		return nil, workflow.FailTask(errNotAllowed, "%q may send messages to nobody else.", clip(c.Owner))
	}
	data, err := json.Marshal(map[string]string{"title": m.Title, "text": m.Text, "url": m.Url, "level": m.Level, "execution": c.Execution})
	if err != nil {
		return nil, err
	}
	e := &event.Event{ID: id(c), Source: source(c), Type: Notification, Subject: m.To, Time: t.Now(), Owner: m.To, Data: data}
	err = t.Tx.Update(ctx, func(ctx context.Context) error { return t.Log.Append(ctx, e) })
	if err != nil && !iap.IsKind(err, iap.Conflict) { // Conflict: it was told before a crash
		return nil, err
	}
	webhook := t.post(ctx, e)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return json.Marshal(map[string]string{"EventId": e.ID, "Webhook": webhook})
}

// id is the same when a task is done again after a crash.
func id(c workflow.Call) string { return fmt.Sprintf("%s.%d.%d", c.Execution, c.Frame, c.Attempt) }

func source(c workflow.Call) string { return "/executions/" + c.Execution }

// owner is whom an event is told to beside admins.
func owner(c workflow.Call) string {
	if c.Owner == "" || c.Owner == iap.System.ID {
		return event.AdminsOnly
	}
	return c.Owner
}

func bad(err error) error {
	if fields := iap.Fields(err); len(fields) > 0 {
		return workflow.FailTask(task.ErrArguments, "%s: %s.", fields[0].Field, fields[0].Message())
	}
	return err
}

func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}
