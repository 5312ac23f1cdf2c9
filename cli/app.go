package cli

import (
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
)

type appCmd struct {
	Add      appAddCmd      `cmd:"" help:"Add an app, or a version of one, from its folder or iap.yaml."`
	List     appListCmd     `cmd:"" help:"List the catalogue." aliases:"ls"`
	Show     appShowCmd     `cmd:"" help:"Show an app, its parameters and versions."`
	Certify  appCertifyCmd  `cmd:"" help:"Have a version certified again, or skip its certification."`
	Retire   appRetireCmd   `cmd:"" help:"Hide an app from those who deploy; its instances live on."`
	Unretire appUnretireCmd `cmd:"" help:"Take a retire back."`
}

type appAddCmd struct {
	Path string `arg:"" name:"dir|file" help:"Folder with an iap.yaml, or the iap.yaml." complete:"file"`
	certifyWait
	SkipCertification bool `help:"Let people have it at once, for admins; that is recorded."`
}

func (c *appAddCmd) Run(r *run) error {
	up, err := catalog.LoadDir(c.Path)
	if err != nil {
		return exitf(codeUsage, "%w", err)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	v, created, err := cl.AddApp(r.ctx, client.Upload{Manifest: up.Manifest, Bundle: up.Bundle, Icon: up.Icon, SkipCertification: c.SkipCertification})
	if err != nil {
		return err
	}
	if !created {
		r.note("nothing has changed since version %d", v.Number)
	}
	return c.finish(r, cl, v)
}

type appListCmd struct{}

func (c *appListCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	apps, err := cl.Apps(r.ctx)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(apps)
	}
	t := &table{head: []string{"APP", "NAME", "VERSION", "READY IN", "DESCRIPTION"}}
	for _, a := range apps {
		ready := ""
		if a.ReadySeconds > 0 {
			ready = fmt.Sprintf("%.1f s", a.ReadySeconds)
		}
		what := a.Description
		if a.Retired {
			what = "(retired) " + what
		}
		t.add(a.Slug, a.Name, fmt.Sprint(a.Version), ready, what)
	}
	t.write(r.out, r.width, nil)
	if len(apps) == 0 {
		r.hint("the catalogue is empty; add an app with: iap app add DIR (iap help iap.yaml tells what is in it)")
	}
	return nil
}

type appShowCmd struct {
	App string `arg:"" help:"Slug of the app." complete:"app"`
}

// appDetails is what app show writes as JSON.
type appDetails struct {
	client.App
	Versions []client.AppVersion `json:"versions"`
}

func (c *appShowCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	a, err := cl.App(r.ctx, c.App)
	if err != nil {
		return err
	}
	versions, err := cl.Versions(r.ctx, a.Slug)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(appDetails{App: a, Versions: versions})
	}
	r.facts(appFacts(a))
	if len(a.Manifest.Parameters) > 0 {
		r.print("")
		writeParameters(r, a.Manifest.Parameters)
	}
	r.print("")
	t := &table{head: []string{"VERSION", "ADDED", "BY", "BUNDLE", "CERTIFICATION"}}
	for _, v := range versions {
		bundle := "built-in"
		if v.BundleSHA != "" {
			bundle = cut(v.BundleSHA, 13)
		}
		t.add(fmt.Sprint(v.Number), clock(v.CreatedAt, r.now()), v.CreatedBy, bundle, certificationText(v.Certification))
	}
	t.write(r.out, r.width, nil)
	for _, v := range versions {
		if v.Certification.State == "failed" {
			r.print("\nversion %d failed at %s:\n%s", v.Number, printable(v.Certification.Step), printableLines(v.Certification.Reason))
		}
	}
	return nil
}

func appFacts(a client.App) [][2]string {
	m := a.Manifest
	retired := ""
	if a.Retired {
		retired = "yes: it cannot be deployed"
	}
	return [][2]string{{"app", a.Slug}, {"name", a.Name}, {"about", a.Description}, {"retired", retired},
		{"image", m.Image}, {"port", fmt.Sprint(m.Port)},
		{"health", fmt.Sprintf("GET %s within %s", m.Health.Path, m.Health.Deadline)},
		{"limits", fmt.Sprintf("%s memory, %s, %s", m.Limits.Memory, count(m.Limits.CPUs, "CPU", "CPUs"), count(float64(m.Limits.PIDs), "process", "processes"))},
		{"time limit", timeLimitText(m)}, {"idle limit", m.IdleLimit}, {"tags", strings.Join(m.Tags, ", ")}}
}

// timeLimitText writes the time limit of an app, with the most where that is more.
func timeLimitText(m client.Manifest) string {
	if m.TimeLimitMost == "" || m.TimeLimitMost == m.TimeLimit {
		return m.TimeLimit
	}
	return m.TimeLimit + ", at most " + m.TimeLimitMost
}

func count(n float64, one, more string) string {
	if n == 1 {
		more = one
	}
	return fmt.Sprintf("%g %s", n, more)
}

func writeParameters(r *run, params []client.Parameter) {
	t := &table{head: []string{"PARAMETER", "TYPE", "DEFAULT", "WHAT"}}
	for _, p := range params {
		def := ""
		switch {
		case p.Required && p.Default == nil:
			def = "(required)"
		case p.Secret && p.Default != nil:
			def = "(secret)"
		case p.Default != nil:
			def = fmt.Sprint(p.Default)
		}
		kind := p.Type
		if len(p.Choices) > 0 {
			kind = strings.Join(p.Choices, "|")
		}
		what := p.Label
		if p.Description != "" {
			what = strings.TrimPrefix(what+". "+p.Description, ". ")
		}
		t.add(p.Name, kind, def, what)
	}
	t.write(r.out, r.width, nil)
}

type appRetireCmd struct {
	App string `arg:"" help:"Slug of the app." complete:"app"`
}

func (c *appRetireCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	a, err := cl.Retire(r.ctx, c.App)
	if err != nil {
		return err
	}
	return r.appState(a, "retired")
}

type appUnretireCmd struct {
	App string `arg:"" help:"Slug of the app." complete:"app"`
}

func (c *appUnretireCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	a, err := cl.Unretire(r.ctx, c.App)
	if err != nil {
		return err
	}
	return r.appState(a, "back in the catalogue")
}

func (r *run) appState(a client.App, words string) error {
	if r.json() {
		return r.writeJSON(a)
	}
	r.print("%s%s%s", printable(a.Slug), gap, words)
	return nil
}
