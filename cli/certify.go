package cli

import (
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// certifyWait says whether to wait for a certification.
type certifyWait struct {
	Wait    bool          `short:"w" help:"Wait for the certification, which is what happens where a person sees it." negatable:""`
	Timeout time.Duration `help:"How long to wait at most." default:"20m"`
}

// lookEvery is how often the state of a certification is asked for.
const lookEvery = 300 * time.Millisecond

// finish waits for the certification of a version where that is wanted, and says
// what has become of it.
func (c certifyWait) finish(r *run, cl *client.Client, v client.AppVersion) error {
	if !v.Certification.Done() && (c.Wait || r.errTerm && !r.json()) {
		r.hint("certifying version %d: it is deployed, checked, destroyed and verified", v.Number)
		var err error
		if v, err = c.await(r, cl, v); err != nil {
			return err
		}
	}
	failed := v.Certification.State == "failed"
	switch {
	case r.json():
		if err := r.writeJSON(v); err != nil || !failed {
			return err
		}
		return &exitError{code: codeFailed}
	case failed:
		r.hint("what to do: mend it and add it again, or iap app certify %s; its log: iap job log %s", printable(v.App), v.Certification.Job)
		return exitf(codeFailed, "version %d of %s did not pass its certification; it failed at %s: %s", v.Number, printable(v.App),
			printable(v.Certification.Step), printableLines(v.Certification.Reason))
	}
	text := certificationText(v.Certification)
	if text != "" {
		text = gap + text
	}
	r.print("%s%sversion %d%s", printable(v.App), gap, v.Number, text)
	r.hint("deploy it: iap deploy %s --wait", printable(v.App))
	return nil
}

func (c certifyWait) await(r *run, cl *client.Client, v client.AppVersion) (client.AppVersion, error) {
	over := time.NewTimer(c.Timeout)
	defer over.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return v, r.ctx.Err()
		case <-over.C:
			return v, exitf(codeTimeout, "version %d of %s is still being certified after %s; it goes on", v.Number, printable(v.App), c.Timeout)
		case <-tick.C:
		}
		versions, err := cl.Versions(r.ctx, v.App)
		if err != nil {
			return v, err
		}
		for _, x := range versions {
			if x.Number == v.Number && x.Certification.Done() {
				return x, nil
			}
		}
	}
}

// certificationText says in a few words how far a certification is.
func certificationText(c client.Certification) string {
	switch c.State {
	case "failed":
		return "failed at " + c.Step
	case "skipped":
		if c.By != "" {
			return fmt.Sprintf("skipped by %s: %s", c.By, c.Reason)
		}
		return "skipped: " + c.Reason
	}
	return c.State
}

type appCertifyCmd struct {
	App     string `arg:"" help:"Slug of the app." complete:"app"`
	Version int    `help:"Number of the version; default: the newest." placeholder:"N"`
	Skip    bool   `help:"Let people have it without one, for admins; that is recorded."`
	certifyWait
}

func (c *appCertifyCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	var v client.AppVersion
	if c.Skip {
		v, err = cl.SkipCertification(r.ctx, c.App, c.Version)
	} else {
		v, err = cl.Certify(r.ctx, c.App, c.Version)
	}
	if err != nil {
		return err
	}
	return c.finish(r, cl, v)
}
