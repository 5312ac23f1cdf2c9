package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// masked stands for the value of a secret parameter.
const masked = "••••••"

func (s *service) instance(i instance.Instance) client.Instance {
	out := client.Instance{
		ID: i.ID, App: i.App, Version: i.Version, Owner: i.Owner, HostName: i.HostName,
		Status: string(i.Status), CreatedAt: ms(i.CreatedAt), EndsAt: ms(i.TimeLimitAt), TimeLimitAt: ms(i.TimeLimitAt), Reason: i.Reason,
		Waiting: i.Waiting, ReadyAt: ms(i.ReadyAt), EndedAt: ms(i.EndedAt), EndedBy: i.EndedBy,
		EndReason: i.EndReason, Receipt: receipt(i.Receipt), KeepUntil: ms(i.KeepUntil), KeepReason: i.KeepReason, OpensAt: ms(i.OpensAt),
	}
	if i.Purpose == instance.ForBooking {
		out.Booking = i.PurposeID
	}
	// What cannot be read is left out: the instance is worth more than its end.
	if end, err := s.cfg.Instances.EndOf(context.Background(), i); err == nil {
		out.EndsAt = ms(end.At)
		if !i.Status.Ended() && i.EndedBy == "" {
			out.End = &client.End{At: ms(end.At), By: string(end.By)}
		}
	}
	if i.IdleLimit > 0 {
		out.IdleLimit = catalog.Duration(i.IdleLimit).String()
	}
	if a := s.cfg.Instances.ActivityOf(i); !a.At.IsZero() {
		out.Activity = &client.Activity{At: ms(a.At), Kind: string(a.Kind), Open: a.Open}
	}
	if i.Status == instance.Running {
		out.URL = s.cfg.Instances.URL(i)
	}
	return out
}

func receipt(r *instance.Receipt) *client.Receipt {
	if r == nil {
		return nil
	}
	list := func(in []instance.Resource) []client.Resource {
		out := make([]client.Resource, 0, len(in))
		for _, x := range in {
			out = append(out, client.Resource{Platform: x.Platform, Kind: x.Kind, ID: x.ID, Name: x.Name})
		}
		return out
	}
	return &client.Receipt{At: ms(r.At), Left: list(r.Left), Removed: list(r.Removed)}
}

func wireProgress(i instance.Instance, p instance.Progress) client.Progress {
	out := client.Progress{Status: string(i.Status), Steps: []client.ProgressStep{}, ExpectedSeconds: p.ExpectedSeconds}
	for _, st := range p.Steps {
		out.Steps = append(out.Steps, client.ProgressStep{Name: st.Name, Title: st.Title, State: string(st.State),
			StartedAt: ms(st.StartedAt), EndedAt: ms(st.EndedAt), Note: st.Note})
	}
	return out
}

func wireJob(j job.Job) client.Job {
	out := client.Job{
		ID: j.ID, Instance: j.Instance, App: j.App, Version: j.Version, Owner: j.Owner, Kind: string(j.Kind),
		Status: string(j.Status), Position: j.Position, Waiting: j.Waiting, Steps: []client.JobStep{},
		Error: j.Error, Reason: j.Reason, CancelledBy: j.CancelledBy,
		CreatedAt: ms(j.CreatedAt), StartedAt: ms(j.StartedAt), EndedAt: ms(j.EndedAt),
	}
	for _, st := range j.Steps {
		out.Steps = append(out.Steps, client.JobStep{Name: st.Name, StartedAt: ms(st.StartedAt), EndedAt: ms(st.EndedAt), Error: st.Error})
	}
	return out
}

// event returns an event as it travels. The data of a changed instance is
// written anew: it gets the address people use and loses the one that the
// portal alone uses.
func (s *service) event(e event.Event) client.Event {
	out := client.Event{Number: e.Number, ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject,
		Time: ms(e.Time), Owner: e.Owner, Group: e.Group, Data: e.Data, Extensions: e.Extensions}
	switch e.Type {
	case event.JobChanged:
		out.Data = jobData(e.Data)
		return out
	case event.InstanceChanged:
		out.Data = nil
	default:
		return out
	}
	var snap instance.Snapshot
	if json.Unmarshal(e.Data, &snap) != nil {
		return out
	}
	wire := s.instance(snap.Instance())
	if data, err := json.Marshal(wire); err == nil {
		out.Data = data
	}
	return out
}

// jobData returns the data of a changed job with its times as they travel.
func jobData(data json.RawMessage) json.RawMessage {
	var snap job.Snapshot
	if json.Unmarshal(data, &snap) != nil {
		return data
	}
	for _, t := range []*time.Time{&snap.CreatedAt, &snap.StartedAt, &snap.EndedAt} {
		*t = ms(*t)
	}
	for i := range snap.Steps {
		snap.Steps[i].StartedAt, snap.Steps[i].EndedAt = ms(snap.Steps[i].StartedAt), ms(snap.Steps[i].EndedAt)
	}
	if wire, err := json.Marshal(snap); err == nil {
		return wire
	}
	return data
}

// ms is a time as it travels: UTC, in whole milliseconds, which is what the
// store keeps.
func ms(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// manifest returns a manifest as it travels. Both types have the same JSON.
func manifest(m catalog.Manifest) (out client.Manifest, err error) {
	data, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	return out, err
}

func wireApp(a catalog.App, ready map[string]float64) (client.App, error) {
	m, err := manifest(a.Version.Manifest)
	return client.App{Slug: a.Slug, Name: m.Name, Description: m.Description, Version: a.Latest, Newest: a.Newest, Retired: a.Retired,
		ReadySeconds: ready[a.Slug], CreatedAt: ms(a.CreatedAt), UpdatedAt: ms(a.UpdatedAt), Manifest: m}, err
}

func wireVersion(v catalog.Version) (client.AppVersion, error) {
	m, err := manifest(v.Manifest)
	c := v.Certification
	return client.AppVersion{App: v.App, Number: v.Number, Manifest: m, BundleSHA: v.BundleSHA,
		CreatedAt: ms(v.CreatedAt), CreatedBy: v.CreatedBy, Certification: client.Certification{State: string(c.State), At: ms(c.At), By: c.By,
			Step: c.Step, Reason: c.Reason, Instance: c.Instance, Job: c.Job, Execution: c.Execution}}, err
}

// mask returns a copy of params with the values of secret parameters masked.
// Without the parameters' declarations all are masked.
func mask(params map[string]any, declared []catalog.Parameter) map[string]any {
	open := map[string]bool{}
	for _, p := range declared {
		open[p.Name] = !p.Secret
	}
	out := map[string]any{}
	for name, value := range params {
		if !open[name] {
			value = masked
		}
		out[name] = value
	}
	return out
}

// statusList writes the statuses as people do.
func statusList() string {
	var words []string
	for _, st := range knownStatuses {
		words = append(words, string(st))
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
