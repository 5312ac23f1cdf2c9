package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/client"
)

// params returns what --param may hold for the app that stands before it: the
// parameters' names, and after the = the choices of one.
func (c *completer) params(begun, prefix string) (out []candidate) {
	cl, err := client.New(c.server, getenv("IAP_TOKEN"))
	if err != nil || c.first == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.r.ctx, completeTime)
	defer cancel()
	app, err := cl.App(ctx, c.first)
	if err != nil {
		return nil
	}
	name, value, chosen := strings.Cut(begun, "=")
	for _, p := range app.Manifest.Parameters {
		if !chosen && strings.HasPrefix(p.Name, begun) {
			out = append(out, candidate{prefix + p.Name + "=", p.Label})
		}
		if !chosen || p.Name != name {
			continue
		}
		words := slices.Clone(p.Choices)
		if p.Type == "boolean" {
			words = []string{"true", "false"}
		}
		for _, w := range words {
			if strings.HasPrefix(w, value) {
				out = append(out, candidate{prefix + name + "=" + w, ""})
			}
		}
	}
	return out
}
