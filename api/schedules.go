package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/schedule"
)

type scheduleInput struct {
	Name string `path:"name" maxLength:"48" doc:"Name of the schedule"`
}

func (s *service) registerSchedules() {
	if s.cfg.Schedules == nil {
		return
	}
	tags := []string{"Schedules"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/schedules", OperationID: "list-schedules", Tags: tags,
		Summary: "Schedules in the order of their names", Errors: []int{403}}, s.listSchedules)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/schedules", OperationID: "add-schedule", Tags: tags,
		Summary: "Add a schedule", DefaultStatus: http.StatusCreated, Errors: []int{400, 403, 409, 422, 503, 507}}, s.addSchedule)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/schedules/{name}", OperationID: "get-schedule", Tags: tags,
		Summary: "One schedule", Errors: []int{403, 404}}, s.getSchedule)
	register(s, huma.Operation{Method: http.MethodPatch, Path: "/schedules/{name}", OperationID: "change-schedule", Tags: tags,
		Summary: "Change a schedule", Errors: []int{400, 403, 404, 422, 503, 507}}, s.changeSchedule)
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/schedules/{name}", OperationID: "remove-schedule", Tags: tags,
		Summary: "Remove a schedule; what it has started goes on", DefaultStatus: http.StatusNoContent,
		Errors: []int{403, 404, 503}}, s.removeSchedule)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/schedules/{name}/pause", OperationID: "pause-schedule", Tags: tags,
		Summary: "Pause a schedule", Errors: []int{403, 404, 503, 507}}, s.pauseSchedule(true))
	register(s, huma.Operation{Method: http.MethodPost, Path: "/schedules/{name}/resume", OperationID: "resume-schedule", Tags: tags,
		Summary: "Resume a schedule: it is due from now on", Errors: []int{403, 404, 503, 507}}, s.pauseSchedule(false))
	register(s, huma.Operation{Method: http.MethodPost, Path: "/schedules/{name}/run", OperationID: "run-schedule", Tags: tags,
		Summary: "Start an execution of a schedule now", DefaultStatus: http.StatusCreated,
		Errors: []int{403, 404, 409, 503, 507}}, s.runSchedule)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/schedules/{name}/firings", OperationID: "schedule-firings", Tags: tags,
		Summary: "The firings of a schedule, newest first", Errors: []int{403, 404}}, s.scheduleFirings)
}

// grace reads how late a schedule may be fired.
func grace(text string) (time.Duration, error) {
	d, err := catalog.ParseDuration(text)
	if err != nil {
		return 0, iap.FieldErrorf("api.Schedule", "grace", "%v", err)
	}
	return d.Std(), nil
}

func (s *service) addSchedule(ctx context.Context, in *bodyOf[client.AddSchedule]) (*bodyOf[client.Schedule], error) {
	b := in.Body
	n := schedule.New{Name: b.Name, Cron: b.Cron, At: b.At, Weekdays: b.Weekdays, Zone: b.Zone, StateMachine: b.StateMachine,
		Input: b.Input, Paused: b.Paused}
	var err error
	if b.Grace != "" {
		if n.Grace, err = grace(b.Grace); err != nil {
			return nil, err
		}
	}
	x, err := s.cfg.Schedules.Add(ctx, actor(ctx), n)
	return s.scheduleOut(ctx, x, err)
}

type changeScheduleInput struct {
	Name string `path:"name" maxLength:"48" doc:"Name of the schedule"`
	Body client.ChangeSchedule
}

func (s *service) changeSchedule(ctx context.Context, in *changeScheduleInput) (*bodyOf[client.Schedule], error) {
	b := in.Body
	c := schedule.Change{Cron: b.Cron, At: b.At, Weekdays: b.Weekdays, Zone: b.Zone, StateMachine: b.StateMachine, Input: b.Input}
	if b.Grace != nil {
		d, err := grace(*b.Grace)
		if err != nil {
			return nil, err
		}
		c.Grace = &d
	}
	x, err := s.cfg.Schedules.Change(ctx, actor(ctx), in.Name, c)
	return s.scheduleOut(ctx, x, err)
}

func (s *service) pauseSchedule(paused bool) func(context.Context, *scheduleInput) (*bodyOf[client.Schedule], error) {
	return func(ctx context.Context, in *scheduleInput) (*bodyOf[client.Schedule], error) {
		x, err := s.cfg.Schedules.Change(ctx, actor(ctx), in.Name, schedule.Change{Paused: &paused})
		return s.scheduleOut(ctx, x, err)
	}
}

func (s *service) removeSchedule(ctx context.Context, in *scheduleInput) (*struct{}, error) {
	return nil, s.cfg.Schedules.Remove(ctx, actor(ctx), in.Name)
}

func (s *service) runSchedule(ctx context.Context, in *scheduleInput) (*bodyOf[client.Firing], error) {
	f, err := s.cfg.Schedules.Run(ctx, actor(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Firing]{wireFiring(f)}, nil
}

func (s *service) getSchedule(ctx context.Context, in *scheduleInput) (*bodyOf[client.Schedule], error) {
	x, err := s.cfg.Schedules.Get(ctx, actor(ctx), in.Name)
	return s.scheduleOut(ctx, x, err)
}

func (s *service) scheduleOut(ctx context.Context, x schedule.Schedule, err error) (*bodyOf[client.Schedule], error) {
	if err != nil {
		return nil, err
	}
	out, err := s.schedule(ctx, x)
	return &bodyOf[client.Schedule]{out}, err
}

func (s *service) listSchedules(ctx context.Context, _ *struct{}) (*bodyOf[client.List[client.Schedule]], error) {
	all, err := s.cfg.Schedules.List(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	out := client.List[client.Schedule]{Items: []client.Schedule{}}
	for _, x := range all {
		w, err := s.schedule(ctx, x)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, w)
	}
	return &bodyOf[client.List[client.Schedule]]{out}, nil
}

type firingsInput struct {
	Name  string `path:"name" maxLength:"48" doc:"Name of the schedule"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (s *service) scheduleFirings(ctx context.Context, in *firingsInput) (*bodyOf[client.List[client.Firing]], error) {
	found, err := s.cfg.Schedules.Firings(ctx, actor(ctx), in.Name, in.Limit)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Firing]{Items: []client.Firing{}}
	for _, f := range found {
		out.Items = append(out.Items, wireFiring(f))
	}
	return &bodyOf[client.List[client.Firing]]{out}, nil
}

// nextTimes is how many of a schedule's next times are told.
const nextTimes = 5

func (s *service) schedule(ctx context.Context, x schedule.Schedule) (client.Schedule, error) {
	out := client.Schedule{Name: x.Name, Cron: x.Cron, Zone: x.Zone, StateMachine: x.StateMachine, Input: x.Input,
		Grace: catalog.Duration(x.Grace).String(), Paused: x.Paused, Owner: x.Owner, BuiltIn: x.BuiltIn, Next: []client.Due{},
		CreatedAt: ms(x.CreatedAt), UpdatedAt: ms(x.UpdatedAt), UpdatedBy: x.UpdatedBy}
	if !x.Paused {
		out.NextAt = ms(x.NextAt)
	}
	for _, d := range s.cfg.Schedules.Times(x, nextTimes) {
		out.Next = append(out.Next, client.Due{At: ms(d.At), Local: d.Local})
	}
	last, err := s.cfg.Schedules.Firings(ctx, actor(ctx), x.Name, 1)
	if len(last) > 0 {
		f := wireFiring(last[0])
		out.Last = &f
	}
	return out, err
}

func wireFiring(f schedule.Firing) client.Firing {
	return client.Firing{Local: f.Local, DueAt: ms(f.DueAt), FiredAt: ms(f.FiredAt), Outcome: string(f.Outcome),
		Execution: f.Execution, Reason: f.Reason, By: f.By, Skipped: f.Skipped}
}
