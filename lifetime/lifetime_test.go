package lifetime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/lifetime"
)

func TestGroup(t *testing.T) {
	var log []string
	part := func(name string, fail error) lifetime.Part {
		return lifetime.Part{Name: name, Service: lifetime.Func{
			OnStart: func(context.Context) error { log = append(log, "+"+name); return fail },
			OnStop:  func(context.Context) error { log = append(log, "-"+name); return nil },
		}}
	}
	t.Run("stops in the reverse order", func(t *testing.T) {
		log = nil
		g := lifetime.NewGroup(part("a", nil), part("b", nil))
		if err := errors.Join(g.Start(t.Context()), g.Stop(t.Context()), g.Stop(t.Context())); err != nil {
			t.Fatal(err)
		}
		if want := []string{"+a", "+b", "-b", "-a"}; !slices.Equal(log, want) {
			t.Errorf("got %v, want %v", log, want)
		}
	})
	t.Run("a failed start stops what ran and names the part", func(t *testing.T) {
		log = nil
		g := lifetime.NewGroup(part("a", nil), part("b", errors.New("no")), part("c", nil))
		err := g.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "starting b: no") {
			t.Errorf("got error %v", err)
		}
		if want := []string{"+a", "+b", "-a"}; !slices.Equal(log, want) {
			t.Errorf("got %v, want %v", log, want)
		}
	})
	t.Run("the part that took all the time is named", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		slow := lifetime.Func{OnStop: func(context.Context) error { cancel(); return nil }}
		g := lifetime.NewGroup(part("a", nil), lifetime.Part{Name: "b", Service: slow}, part("c", nil))
		if err := g.Start(ctx); err != nil {
			t.Fatal(err)
		}
		err := g.Stop(ctx)
		if err == nil || !strings.HasPrefix(err.Error(), "stopping b: it took ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("got error %v", err)
		}
	})
}
