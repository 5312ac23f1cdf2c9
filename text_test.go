package iap_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/internal-app-portal/iap"
)

func TestTexts(t *testing.T) {
	field := iap.FieldErrorf("catalog.ParseManifest", "port", "is too large")
	other := iap.FieldErrorf("catalog.ParseManifest", "slug", "is missing")
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"none":             {nil, nil},
		"plain":            {errors.New("no"), []string{"no"}},
		"a field":          {field, []string{"port: is too large"}},
		"joined":           {errors.Join(field, other), []string{"port: is too large", "slug: is missing"}},
		"joined twice":     {errors.Join(errors.Join(field, other), field), []string{"port: is too large", "slug: is missing"}},
		"a file in front":  {fmt.Errorf("iap.yaml: %w", errors.Join(field, other)), []string{"iap.yaml: port: is too large", "iap.yaml: slug: is missing"}},
		"an Error in one":  {iap.E("server.New", iap.Internal, iap.E("store.Open", iap.Conflict, fs.ErrExist)), []string{"file already exists"}},
		"wrapped":          {fmt.Errorf("starting: %w", iap.Errorf("store.Open", iap.Full, "no room")), []string{"starting: no room"}},
		"deep":             {iap.E("a.B", iap.Full, fmt.Errorf("x: %w", iap.Errorf("c.D", iap.Full, "no room"))), []string{"x: no room"}},
		"two in one":       {fmt.Errorf("%w and %w", field, other), []string{"port: is too large and slug: is missing"}},
		"no cause":         {iap.E("store.Open", iap.NotFound, nil), []string{"not found"}},
		"several lines":    {iap.Errorf("x.Y", iap.Invalid, "a\nb"), []string{"a\nb"}},
		"a joined failure": {iap.E("x.Y", iap.Invalid, errors.Join(field, other)), []string{"port: is too large", "slug: is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := iap.Texts(c.err); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
