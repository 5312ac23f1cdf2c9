package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/schedule"
)

// schedules lets admins in, where there are schedules.
func (s *Server) schedules(h handler) handler {
	return s.admin(func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		if s.cfg.Schedules == nil {
			return s.notFound(w, r, actor)
		}
		return h(w, r, actor)
	})
}

func (s *Server) scheduleRoutes(in func(pattern string, h handler)) {
	for pattern, h := range map[string]handler{
		"GET /schedules":                s.schedulesPage,
		"POST /schedules":               s.addSchedule,
		"GET /schedules/{name}":         s.schedulePage,
		"POST /schedules/{name}":        s.changeSchedule,
		"POST /schedules/{name}/pause":  s.pauseSchedule(true),
		"POST /schedules/{name}/resume": s.pauseSchedule(false),
		"POST /schedules/{name}/run":    s.runSchedule,
		"POST /schedules/{name}/remove": s.removeSchedule,
		"GET /sweeps/{execution}":       s.sweepPage,
	} {
		in(pattern, s.schedules(h))
	}
}

// scheduleView is a schedule in a list or on its page.
type scheduleView struct {
	schedule.Schedule
	Words string
	Last  *schedule.Firing
}

func (s *Server) viewSchedule(ctx context.Context, actor iap.Actor, x schedule.Schedule) (scheduleView, error) {
	v := scheduleView{Schedule: x, Words: schedule.Words(x.Cron)}
	last, err := s.cfg.Schedules.Firings(ctx, actor, x.Name, 1)
	if len(last) > 0 {
		v.Last = &last[0]
	}
	return v, err
}

// scheduleForm is what a form of a schedule holds, with what is wrong by field.
type scheduleForm struct {
	Name, Cron, Zone, StateMachine, Input, Grace string
	New                                          bool
	Problems                                     map[string]string
	Problem                                      string // of no field
}

type schedulesPage struct {
	layout
	Rows []scheduleView
	Form scheduleForm
}

func (s *Server) schedulesPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showSchedules(w, r, actor, http.StatusOK, scheduleForm{New: true, Zone: s.zone(), Grace: "1h0m0s", Input: "{}"})
}

func (s *Server) showSchedules(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, form scheduleForm) error {
	p := schedulesPage{layout: s.layout(r, actor, "Schedules"), Form: form}
	all, err := s.cfg.Schedules.List(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, x := range all {
		v, err := s.viewSchedule(r.Context(), actor, x)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, v)
	}
	return s.render(w, status, "schedules", p)
}

// readScheduleForm reads the form of a schedule.
func readScheduleForm(w http.ResponseWriter, r *http.Request) (f scheduleForm, grace time.Duration, err error) {
	if err = parseForm(w, r); err != nil {
		return f, 0, err
	}
	p := r.PostForm
	f = scheduleForm{Name: p.Get("name"), Cron: p.Get("cron"), Zone: p.Get("zone"), StateMachine: p.Get("state_machine"),
		Input: p.Get("input"), Grace: p.Get("grace")}
	if f.Input == "" {
		f.Input = "{}"
	}
	grace, parseErr := time.ParseDuration(f.Grace)
	if parseErr != nil {
		f.Problems = map[string]string{"grace": "write a length of time, such as 30m or 12h"}
	}
	return f, grace, nil
}

// wrong puts what is wrong beside the fields; it reports whether that is all of
// err.
func (f *scheduleForm) wrong(err error) bool {
	fields := iap.Fields(err)
	if f.Problems == nil {
		f.Problems = map[string]string{}
	}
	for _, e := range fields {
		f.Problems[e.Field] = e.Message()
	}
	var e *iap.Error
	if len(fields) == 0 && errors.As(err, &e) && e.Kind == iap.Conflict {
		f.Problem = e.Message()
		return true
	}
	return len(fields) > 0
}

func (s *Server) addSchedule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f, grace, err := readScheduleForm(w, r)
	if err != nil {
		return err
	}
	f.New = true
	if f.Problems == nil {
		_, err = s.cfg.Schedules.Add(r.Context(), actor, schedule.New{Name: f.Name, Cron: f.Cron, Zone: f.Zone,
			StateMachine: f.StateMachine, Input: []byte(f.Input), Grace: grace})
		if err == nil {
			return seeOther(w, r, "/schedules/"+f.Name)
		}
		if !f.wrong(err) {
			return err
		}
	}
	return s.showSchedules(w, r, actor, http.StatusUnprocessableEntity, f)
}

func (s *Server) changeSchedule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f, grace, err := readScheduleForm(w, r)
	if err != nil {
		return err
	}
	name := r.PathValue("name")
	f.Name = name
	if f.Problems == nil {
		_, err = s.cfg.Schedules.Change(r.Context(), actor, name, schedule.Change{Cron: &f.Cron, Zone: &f.Zone,
			StateMachine: &f.StateMachine, Input: []byte(f.Input), Grace: &grace})
		if err == nil {
			return seeOther(w, r, "/schedules/"+name)
		}
		if !f.wrong(err) {
			return err
		}
	}
	return s.showSchedule(w, r, actor, http.StatusUnprocessableEntity, &f)
}

func (s *Server) pauseSchedule(paused bool) handler {
	return func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		name := r.PathValue("name")
		if _, err := s.cfg.Schedules.Change(r.Context(), actor, name, schedule.Change{Paused: &paused}); err != nil {
			return err
		}
		return seeOther(w, r, "/schedules/"+name)
	}
}

func (s *Server) runSchedule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f, err := s.cfg.Schedules.Run(r.Context(), actor, r.PathValue("name"))
	if err != nil {
		return err
	}
	return seeOther(w, r, "/executions/"+f.Execution)
}

func (s *Server) removeSchedule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := s.cfg.Schedules.Remove(r.Context(), actor, r.PathValue("name")); err != nil {
		return err
	}
	return seeOther(w, r, "/schedules")
}

// firingView is a firing, with the sweep that it was where it was one.
type firingView struct {
	schedule.Firing
	Sweep *instance.Sweep
}

type schedulePage struct {
	layout
	S       scheduleView
	Times   []schedule.Due
	Firings []firingView
	Form    scheduleForm
	Edit    bool // the form is open
}

func (s *Server) schedulePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showSchedule(w, r, actor, http.StatusOK, nil)
}

// shown is how many times of a schedule its page shows, those to come and those
// gone.
const (
	timesShown   = 5
	firingsShown = 30
)

func (s *Server) showSchedule(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, form *scheduleForm) error {
	x, err := s.cfg.Schedules.Get(r.Context(), actor, r.PathValue("name"))
	if err != nil {
		return err
	}
	p := schedulePage{layout: s.layout(r, actor, x.Name), Times: s.cfg.Schedules.Times(x, timesShown), Edit: form != nil,
		Form: scheduleForm{Name: x.Name, Cron: x.Cron, Zone: x.Zone, StateMachine: x.StateMachine, Input: string(x.Input), Grace: x.Grace.String()}}
	if form != nil {
		p.Form = *form
	}
	if p.S, err = s.viewSchedule(r.Context(), actor, x); err != nil {
		return err
	}
	firings, err := s.cfg.Schedules.Firings(r.Context(), actor, x.Name, firingsShown)
	if err != nil {
		return err
	}
	sweeps, err := s.cfg.Instances.Sweeps(r.Context(), actor, 2*firingsShown)
	if err != nil {
		return err
	}
	for _, f := range firings {
		v := firingView{Firing: f}
		for i := range sweeps {
			if sweeps[i].Execution == f.Execution {
				v.Sweep = &sweeps[i]
			}
		}
		p.Firings = append(p.Firings, v)
	}
	return s.render(w, status, "schedule", p)
}

func (s *Server) sweepPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	x, err := s.cfg.Instances.GetSweep(r.Context(), actor, r.PathValue("execution"))
	if err != nil {
		return err
	}
	type row struct {
		instance.SweepResult
		Until time.Time
	}
	p := struct {
		layout
		Sweep instance.Sweep
		Rows  []row
		Took  float64
	}{layout: s.layout(r, actor, "Sweep"), Sweep: x}
	for _, res := range x.Results {
		until, _ := time.Parse(time.RFC3339, res.KeptUntil)
		p.Rows = append(p.Rows, row{res, until})
	}
	p.Took = x.FinishedAt.Sub(x.StartedAt).Seconds()
	return s.render(w, http.StatusOK, "sweep", p)
}
