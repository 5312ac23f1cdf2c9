package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Delivery is what the API needs of delivery.Service.
type Delivery interface {
	Rules(ctx context.Context, a iap.Actor) ([]delivery.Rule, error)
	Rule(ctx context.Context, a iap.Actor, name string) (delivery.Rule, error)
	PutRule(ctx context.Context, a iap.Actor, r delivery.Rule) (delivery.Rule, bool, error)
	PauseRule(ctx context.Context, a iap.Actor, name string, paused bool) (delivery.Rule, error)
	DeleteRule(ctx context.Context, a iap.Actor, name string) error
	Try(ctx context.Context, a iap.Actor, when string) ([]delivery.Tried, error)
	Targets(ctx context.Context, a iap.Actor) ([]delivery.Target, map[string]delivery.Health, error)
	Target(ctx context.Context, a iap.Actor, name string) (delivery.Target, delivery.Health, error)
	AddTarget(ctx context.Context, a iap.Actor, t delivery.Target) (delivery.Target, error)
	ChangeTarget(ctx context.Context, a iap.Actor, t delivery.Target) (delivery.Target, error)
	RotateSecret(ctx context.Context, a iap.Actor, name, secret string, overlap time.Duration) (delivery.Target, error)
	PauseTarget(ctx context.Context, a iap.Actor, name string, paused bool) (delivery.Target, error)
	DeleteTarget(ctx context.Context, a iap.Actor, name string) error
	TestTarget(ctx context.Context, a iap.Actor, name string) (delivery.Attempt, error)
	Deliveries(ctx context.Context, a iap.Actor, f delivery.Filter) ([]delivery.Delivery, error)
	Delivery(ctx context.Context, a iap.Actor, id string) (delivery.Delivery, []delivery.Attempt, error)
	RedriveAll(ctx context.Context, a iap.Actor, f delivery.Filter) (id string, n int, err error)
	Redrive(ctx context.Context, a iap.Actor, ids []string) (id string, n int, err error)
	RedriveProgress(ctx context.Context, a iap.Actor, id string) (delivery.Progress, error)
	DeleteLetters(ctx context.Context, a iap.Actor, ids []string, reason string) error
}

type nameInput struct {
	Name string `path:"name" maxLength:"63"`
}

type pauseInput struct {
	Name string `path:"name" maxLength:"63"`
	Body exact[client.Pause]
}

func (s *service) registerRules() {
	if s.cfg.Delivery == nil {
		return
	}
	tags := []string{"Rules"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/rules", OperationID: "list-rules", Tags: tags,
		Summary: "Rules by name, for admins", Errors: []int{403}}, s.listRules)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/rules/{name}", OperationID: "get-rule", Tags: tags,
		Summary: "One rule, for admins", Errors: []int{403, 404}},
		func(ctx context.Context, in *nameInput) (*bodyOf[client.Rule], error) {
			return ruleOut(s.cfg.Delivery.Rule(ctx, actor(ctx), in.Name))
		})
	register(s, huma.Operation{Method: http.MethodPut, Path: "/rules/{name}", OperationID: "put-rule", Tags: tags,
		Summary: "Add or change a rule, for admins", Description: "A new rule chooses among the events from now on.",
		Errors: []int{403, 422, 429, 503, 507}}, s.putRule)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/rules/{name}/pause", OperationID: "pause-rule", Tags: tags,
		Summary: "Have a rule choose nothing, or choose again from now on; for admins", Errors: []int{403, 404, 503, 507}},
		func(ctx context.Context, in *pauseInput) (*bodyOf[client.Rule], error) {
			return ruleOut(s.cfg.Delivery.PauseRule(ctx, actor(ctx), in.Name, in.Body.Value.Paused))
		})
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/rules/{name}", OperationID: "delete-rule", Tags: tags,
		Summary: "Remove a rule, for admins", Errors: []int{403, 404, 503, 507}},
		func(ctx context.Context, in *nameInput) (*struct{}, error) {
			return nil, s.cfg.Delivery.DeleteRule(ctx, actor(ctx), in.Name)
		})
	register(s, huma.Operation{Method: http.MethodPost, Path: "/rules/try", OperationID: "try-rule", Tags: tags, DefaultStatus: http.StatusOK,
		Summary: "Which of the last 100 events an expression chooses, newest first; for admins", Errors: []int{403, 422}}, s.tryRule)
}

func ruleOut(r delivery.Rule, err error) (*bodyOf[client.Rule], error) {
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Rule]{wireRule(r)}, nil
}

func wireRule(r delivery.Rule) client.Rule {
	return client.Rule{Name: r.Name, When: r.When, Targets: r.Targets, Paused: r.Paused, CreatedAt: ms(r.CreatedAt),
		UpdatedAt: ms(r.UpdatedAt), UpdatedBy: r.UpdatedBy}
}

func (s *service) listRules(ctx context.Context, _ *struct{}) (*bodyOf[client.List[client.Rule]], error) {
	rules, err := s.cfg.Delivery.Rules(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	out := client.List[client.Rule]{Items: []client.Rule{}}
	for _, r := range rules {
		out.Items = append(out.Items, wireRule(r))
	}
	return &bodyOf[client.List[client.Rule]]{out}, nil
}

type putRuleInput struct {
	Name string `path:"name" maxLength:"63"`
	Body exact[client.PutRule]
}

type ruleResult struct {
	Status int
	Body   client.Rule
}

func (s *service) putRule(ctx context.Context, in *putRuleInput) (*ruleResult, error) {
	r, created, err := s.cfg.Delivery.PutRule(ctx, actor(ctx), delivery.Rule{Name: in.Name, When: in.Body.Value.When, Targets: in.Body.Value.Targets})
	if err != nil {
		return nil, err
	}
	out := &ruleResult{Status: http.StatusOK, Body: wireRule(r)}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

type tryInput struct{ Body exact[client.TryRule] }

func (s *service) tryRule(ctx context.Context, in *tryInput) (*bodyOf[client.List[client.TriedEvent]], error) {
	tried, err := s.cfg.Delivery.Try(ctx, actor(ctx), in.Body.Value.When)
	if err != nil {
		return nil, err
	}
	out := client.List[client.TriedEvent]{Items: []client.TriedEvent{}}
	for _, t := range tried {
		out.Items = append(out.Items, client.TriedEvent{Event: s.event(t.Event), Matches: t.Matches, Error: t.Error})
	}
	return &bodyOf[client.List[client.TriedEvent]]{out}, nil
}
