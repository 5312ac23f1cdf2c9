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

func (s *service) registerTargets() {
	if s.cfg.Delivery == nil {
		return
	}
	tags := []string{"Targets"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/targets", OperationID: "list-targets", Tags: tags,
		Summary: "Targets by name with their health, for admins", Errors: []int{403}}, s.listTargets)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/targets/{name}", OperationID: "get-target", Tags: tags,
		Summary: "One target, for admins", Errors: []int{403, 404}},
		func(ctx context.Context, in *nameInput) (*bodyOf[client.Target], error) {
			return s.target(ctx, in.Name)
		})
	register(s, huma.Operation{Method: http.MethodPost, Path: "/targets", OperationID: "add-target", Tags: tags,
		Summary: "Add a target, for admins", Description: "The answer holds the secret of a webhook's signature, which is not told again.",
		DefaultStatus: http.StatusCreated, Errors: []int{403, 409, 422, 429, 503, 507}}, s.addTarget)
	register(s, huma.Operation{Method: http.MethodPatch, Path: "/targets/{name}", OperationID: "change-target", Tags: tags,
		Summary: "Change a target, which keeps its secret; for admins", Description: "What is absent stays as it is.",
		Errors: []int{400, 403, 404, 422, 503, 507}}, s.changeTarget)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/targets/{name}/pause", OperationID: "pause-target", Tags: tags,
		Summary: "Have deliveries to a target wait, or go on; for admins", Errors: []int{403, 404, 503, 507}},
		func(ctx context.Context, in *pauseInput) (*bodyOf[client.Target], error) {
			if _, err := s.cfg.Delivery.PauseTarget(ctx, actor(ctx), in.Name, in.Body.Value.Paused); err != nil {
				return nil, err
			}
			return s.target(ctx, in.Name)
		})
	register(s, huma.Operation{Method: http.MethodPost, Path: "/targets/{name}/rotate", OperationID: "rotate-target-secret", Tags: tags,
		DefaultStatus: http.StatusOK, Summary: "Give a target a new secret, and sign by the old one as well for a while; for admins",
		Description: "The answer holds the new secret, which is not told again.", Errors: []int{403, 404, 422, 503, 507}}, s.rotateTarget)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/targets/{name}/test", OperationID: "test-target", Tags: tags,
		Summary: "Send a target an event of type iap.test that is not in the log; for admins", Errors: []int{403, 404}},
		func(ctx context.Context, in *nameInput) (*bodyOf[client.Attempt], error) {
			a, err := s.cfg.Delivery.TestTarget(ctx, actor(ctx), in.Name)
			if err != nil {
				return nil, err
			}
			return &bodyOf[client.Attempt]{wireAttempt(a)}, nil
		})
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/targets/{name}", OperationID: "delete-target", Tags: tags,
		Summary: "Remove a target that no rule uses, and drop what waits for it; for admins", Errors: []int{403, 404, 409, 503, 507}},
		func(ctx context.Context, in *nameInput) (*struct{}, error) {
			return nil, s.cfg.Delivery.DeleteTarget(ctx, actor(ctx), in.Name)
		})
}

func (s *service) target(ctx context.Context, name string) (*bodyOf[client.Target], error) {
	t, h, err := s.cfg.Delivery.Target(ctx, actor(ctx), name)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Target]{wireTarget(t, h)}, nil
}

func wireTarget(t delivery.Target, h delivery.Health) client.Target {
	status := "active"
	switch {
	case t.Disabled != "":
		status = "disabled"
	case t.Paused:
		status = "paused"
	}
	return client.Target{Name: t.Name, Kind: string(t.Kind), Settings: client.TargetSettings(t.Settings), Secret: t.Secret, OldUntil: ms(t.OldUntil),
		Attempts: t.Attempts, Backoff: t.Backoff.String(), Timeout: t.Timeout.String(), Rate: t.Rate, Ordered: t.Ordered,
		Status: status, Disabled: t.Disabled, CreatedAt: ms(t.CreatedAt), UpdatedAt: ms(t.UpdatedAt), UpdatedBy: t.UpdatedBy,
		Health: client.TargetHealth{Waiting: h.Waiting, Dead: h.Dead, LastOK: ms(h.LastOK), LastFailed: ms(h.LastFailed), LastError: h.LastError,
			Failures: h.Failures, Down: h.Down()}}
}

func (s *service) listTargets(ctx context.Context, _ *struct{}) (*bodyOf[client.List[client.Target]], error) {
	targets, health, err := s.cfg.Delivery.Targets(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	out := client.List[client.Target]{Items: []client.Target{}}
	for _, t := range targets {
		out.Items = append(out.Items, wireTarget(t, health[t.Name]))
	}
	return &bodyOf[client.List[client.Target]]{out}, nil
}

type addTargetInput struct{ Body exact[client.AddTarget] }

func (s *service) addTarget(ctx context.Context, in *addTargetInput) (*bodyOf[client.Target], error) {
	b := in.Body.Value
	t := delivery.Target{Name: b.Name, Kind: delivery.Kind(b.Kind), Settings: delivery.Settings(b.Settings), Secret: b.Secret,
		Attempts: b.Attempts, Rate: b.Rate, Ordered: b.Ordered}
	var err error
	if t.Backoff, err = duration("backoff", b.Backoff); err != nil {
		return nil, err
	}
	if t.Timeout, err = duration("timeout", b.Timeout); err != nil {
		return nil, err
	}
	t, err = s.cfg.Delivery.AddTarget(ctx, actor(ctx), t)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Target]{wireTarget(t, delivery.Health{})}, nil
}

type changeTargetInput struct {
	Name string `path:"name" maxLength:"63"`
	Body exact[client.ChangeTarget]
}

func (s *service) changeTarget(ctx context.Context, in *changeTargetInput) (*bodyOf[client.Target], error) {
	t, _, err := s.cfg.Delivery.Target(ctx, actor(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	b := in.Body.Value
	if b.Settings != nil {
		t.Settings = delivery.Settings(*b.Settings)
	}
	if b.Attempts != nil {
		t.Attempts = *b.Attempts
	}
	if b.Rate != nil {
		t.Rate = *b.Rate
	}
	if b.Ordered != nil {
		t.Ordered = *b.Ordered
	}
	for _, one := range []struct {
		field string
		text  *string
		to    *time.Duration
	}{{"backoff", b.Backoff, &t.Backoff}, {"timeout", b.Timeout, &t.Timeout}} {
		if one.text == nil {
			continue
		}
		if *one.to, err = duration(one.field, *one.text); err != nil {
			return nil, err
		}
	}
	if _, err := s.cfg.Delivery.ChangeTarget(ctx, actor(ctx), t); err != nil {
		return nil, err
	}
	return s.target(ctx, in.Name)
}

type rotateInput struct {
	Name string `path:"name" maxLength:"63"`
	Body exact[client.RotateSecret]
}

func (s *service) rotateTarget(ctx context.Context, in *rotateInput) (*bodyOf[client.Target], error) {
	overlap := delivery.DefaultOverlap
	if text := in.Body.Value.Overlap; text != "" && text != "0" {
		var err error
		if overlap, err = duration("overlap", text); err != nil {
			return nil, err
		}
	} else if text == "0" {
		overlap = 0
	}
	t, err := s.cfg.Delivery.RotateSecret(ctx, actor(ctx), in.Name, in.Body.Value.Secret, overlap)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Target]{wireTarget(t, delivery.Health{})}, nil
}

// duration reads a duration as people write it; empty is 0.
func duration(field, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, iap.FieldErrorf("api.duration", field, "%.40q is not a duration such as 500ms, 5s or 10m", text)
	}
	return d, nil
}
