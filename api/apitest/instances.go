package apitest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// instances stands in for instance.Service.
type instances struct{ p *Portal }

var words = []string{"brave-otter-lamp", "calm-heron-desk", "quick-maple-bell", "kind-river-moon", "warm-stone-kite"}

func (s instances) Deploy(_ context.Context, a iap.Actor, req instance.DeployRequest) (instance.Instance, bool, error) {
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return instance.Instance{}, false, p.fail
	}
	app, err := p.app(req.App)
	if err != nil {
		return instance.Instance{}, false, err
	}
	if app.Retired {
		return instance.Instance{}, false, iap.Errorf("instance.Deploy", iap.Conflict, "the app %q is retired; a publisher can take that back", app.Slug)
	}
	for _, i := range p.instances {
		if i.App == req.App && i.Owner == a.ID && !i.Status.Ended() {
			if i.Status == instance.Destroying {
				return instance.Instance{}, false, iap.Errorf("instance.Deploy", iap.Conflict, "your instance of this app is being destroyed; deploy again when it is gone")
			}
			return i, false, nil
		}
	}
	if v, there := req.Parameters["title"]; there && v == "" {
		return instance.Instance{}, false, iap.FieldErrorf("instance.Deploy", "parameters.title", "is empty; give 1 to 60 characters")
	}
	if err := p.tooMany(a); err != nil {
		return instance.Instance{}, false, err
	}
	now := p.now()
	i := instance.Instance{ID: iap.NewID(now), App: req.App, Version: app.Latest, Owner: a.ID,
		HostName: fmt.Sprintf("%s-%s", words[p.words%len(words)], req.App), Status: instance.Queued,
		Upstream: "http://127.0.0.1:1", Parameters: req.Parameters, CreatedAt: now, TimeLimitAt: now.Add(cmp.Or(req.For, 8*time.Hour))}
	p.words++
	p.instances = append(p.instances, i)
	p.live(&p.instances[len(p.instances)-1])
	return i, true, nil
}

// LimitPerson sets how many instances a person may have; 0: any number.
func (p *Portal) LimitPerson(most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = most
}

// tooMany refuses who has as many instances as a person may; it is called
// with p.mu held.
func (p *Portal) tooMany(a iap.Actor) error {
	e := &instance.LimitError{Limit: "person", Most: p.most}
	for _, i := range p.instances {
		if i.Owner == a.ID && !i.Status.Ended() {
			e.Own = append(e.Own, i)
		}
	}
	if p.most == 0 || len(e.Own) < p.most {
		return nil
	}
	return iap.E("instance.Deploy", iap.Limit, e)
}

// live takes an instance from queued to where its app's name says.
func (p *Portal) live(i *instance.Instance) {
	p.changed(i)
	i.Status = instance.Deploying
	p.changed(i)
	j := p.startJob(*i, job.Apply)
	p.logs[j.ID].write("creating the container\n")
	switch i.App {
	case "slow":
		return
	case "broken":
		p.endJob(j.ID, job.Failed, "the image does not exist")
		i.Status, i.Reason, i.EndedAt = instance.DeployFailed, "docker_container.app: the image does not exist", p.now()
	default:
		p.logs[j.ID].write("created\n")
		p.endJob(j.ID, job.Succeeded, "")
		i.Status = instance.Checking
		p.changed(i)
		i.Status, i.ReadyAt = instance.Running, p.now()
	}
	p.changed(i)
}

func (s instances) Destroy(_ context.Context, a iap.Actor, ref string) (instance.Instance, error) {
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.find(a, ref)
	if err != nil {
		return instance.Instance{}, err
	}
	if i.Status.Ended() && i.Status != instance.DestroyFailed {
		return *i, nil
	}
	i.Status = instance.Destroying
	p.changed(i)
	before := *i
	i.EndedBy, i.EndReason = a.ID, "destroyed by its owner"
	if !p.holding {
		p.destroy(i)
	}
	return before, nil
}

// destroy ends an instance that is being destroyed; it is called with p.mu
// held.
func (p *Portal) destroy(i *instance.Instance) {
	j := p.startJob(*i, job.Destroy)
	p.logs[j.ID].write("destroying\n")
	p.endJob(j.ID, job.Succeeded, "")
	i.EndedAt = p.now()
	i.Status, i.Receipt = instance.Destroyed, &instance.Receipt{At: p.now()}
	if i.App == "sticky" {
		i.Status, i.Reason = instance.DestroyFailed, "something is left"
		i.Receipt.Left = []instance.Resource{{Platform: "docker", Kind: "volume", ID: "v1", Name: "sticky-data"}}
	}
	p.changed(i)
}

// HoldDestroys has destroys begin and not end, until EndDestroys.
func (p *Portal) HoldDestroys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = true
}

// EndDestroys ends the destroys that were held.
func (p *Portal) EndDestroys() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holding = false
	for n := range p.instances {
		if i := &p.instances[n]; i.Status == instance.Destroying {
			p.destroy(i)
		}
	}
}

func (s instances) Keep(_ context.Context, a iap.Actor, ref string, until time.Time, reason string) (instance.Instance, error) {
	if reason == "" {
		return instance.Instance{}, iap.FieldErrorf("instance.Keep", "reason", "it is missing")
	}
	return s.keep(a, ref, until, reason)
}

func (s instances) Release(_ context.Context, a iap.Actor, ref string) (instance.Instance, error) {
	return s.keep(a, ref, time.Time{}, "")
}

func (s instances) keep(a iap.Actor, ref string, until time.Time, reason string) (instance.Instance, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	i, err := s.p.find(a, ref)
	if err != nil {
		return instance.Instance{}, err
	}
	i.KeepUntil, i.KeepReason = until, reason
	return *i, nil
}

func (instances) ActivityOf(i instance.Instance) instance.Activity { return i.Active }

func (instances) Ledger(_ context.Context, a iap.Actor, month string) (instance.Ledger, error) {
	if month == "never" {
		return instance.Ledger{}, iap.FieldErrorf("instance.Ledger", "month", "%q is no month, such as 2026-11", month)
	}
	row := instance.LedgerRow{Owner: a.ID, App: "todo", Instances: 2, Ran: instance.Sum{Hours: 10, Cost: 0.5, KWh: 0.03}, Sweep: instance.Sum{Hours: 4, Cost: 0.2, KWh: 0.012}}
	return instance.Ledger{Month: "2026-11", Currency: "EUR", Rows: []instance.LedgerRow{row}, Total: row,
		Days: []instance.LedgerDay{{Day: "2026-11-01", Ran: row.Ran, Saved: row.Sweep}, {Day: "2026-11-02"}}}, nil
}

func (instances) EndOf(_ context.Context, i instance.Instance) (instance.End, error) {
	return instance.End{At: i.TimeLimitAt, By: instance.EndByTime}, nil
}

func (instances) GetSweep(_ context.Context, _ iap.Actor, execution string) (instance.Sweep, error) {
	return instance.Sweep{}, iap.Errorf("instance.Sweep", iap.NotFound, "there is no sweep %q", execution)
}

func (instances) Sweeps(context.Context, iap.Actor, int) ([]instance.Sweep, error) { return nil, nil }

func (s instances) Get(_ context.Context, a iap.Actor, ref string) (instance.Instance, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	i, err := s.p.find(a, ref)
	if err != nil {
		return instance.Instance{}, err
	}
	return *i, nil
}

func (p *Portal) find(a iap.Actor, ref string) (*instance.Instance, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	var found []*instance.Instance
	for n := range p.instances {
		i := &p.instances[n]
		if i.Owner != a.ID && !a.Role.Includes(iap.Admin) {
			continue
		}
		if i.ID == ref || i.HostName == ref {
			return i, nil
		}
		if !i.Status.Ended() && strings.Contains(i.HostName, ref) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, iap.Errorf("instance.Get", iap.NotFound, "you have no instance %q", ref)
	}
	return nil, iap.FieldErrorf("instance.Get", "ref", "%q fits %d instances", ref, len(found))
}

func (s instances) List(_ context.Context, a iap.Actor, f instance.Filter) ([]instance.Instance, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.p.fail != nil {
		return nil, s.p.fail
	}
	if !a.Role.Includes(iap.Admin) {
		f.Owner = a.ID
	}
	var out []instance.Instance
	for _, i := range slices.Backward(s.p.instances) {
		if (f.Owner == "" || i.Owner == f.Owner) && (f.App == "" || i.App == f.App) &&
			(len(f.Statuses) == 0 || slices.Contains(f.Statuses, i.Status)) &&
			(f.Before == "" || i.ID < f.Before) && strings.Contains(i.HostName+i.App+i.Owner, f.Text) && len(out) < f.Limit {
			out = append(out, i)
		}
	}
	return out, nil
}

func (s instances) Events(ctx context.Context, a iap.Actor, ref string) ([]event.Event, error) {
	i, err := s.Get(ctx, a, ref)
	if err != nil {
		return nil, err
	}
	return s.p.events.EventsOf(ctx, i.ID)
}

func (s instances) Progress(_ context.Context, i instance.Instance) (instance.Progress, error) {
	step := func(title string, state instance.StepState, note string) instance.ProgressStep {
		return instance.ProgressStep{Name: strings.ToLower(title), Title: title, State: state, Note: note, StartedAt: i.CreatedAt}
	}
	pr := instance.Progress{ExpectedSeconds: 1.5}
	switch i.Status {
	case instance.Queued, instance.Deploying:
		pr.Steps = append(pr.Steps, step("Create", instance.StepActive, "waiting for Docker"))
	case instance.DeployFailed:
		pr.Steps = append(pr.Steps, step("Create", instance.StepFailed, ""))
	default:
		pr.Steps = append(pr.Steps, step("Create", instance.StepDone, ""), step("Ready", instance.StepDone, ""))
	}
	return pr, nil
}

func (s instances) ReadySeconds(context.Context) (map[string]float64, error) {
	return map[string]float64{"todo": 1.5}, nil
}

func (s instances) URL(i instance.Instance) string { return "http://" + i.HostName + ".localhost:8080" }

func instanceEvent(i instance.Instance, now time.Time) *event.Event {
	data, err := json.Marshal(i.Snapshot())
	if err != nil {
		panic(err)
	}
	return &event.Event{Source: "/instances", Type: event.InstanceChanged, Subject: i.ID, Time: now,
		Owner: i.Owner, Group: i.ID, Data: data}
}
