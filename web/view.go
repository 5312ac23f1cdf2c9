package web

import (
	"context"
	"html/template"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
)

// statusWords say a status to people.
var statusWords = map[string]string{
	"queued": "Queued", "deploying": "Deploying", "checking": "Checking", "running": "Running",
	"destroying": "Destroying", "destroyed": "Destroyed", "deploy_failed": "Deploy failed", "destroy_failed": "Destroy failed",
	"succeeded": "Succeeded", "failed": "Failed", "cancelled": "Cancelled", "timed_out": "Timed out",
}

// hues are the status colours, by status of instances and jobs.
var hues = map[string]string{
	"queued": "waiting", "deploying": "working", "checking": "working", "running": "running", "destroying": "ending",
	"destroyed": "waiting", "deploy_failed": "failed", "destroy_failed": "failed",
	"succeeded": "running", "failed": "failed", "cancelled": "waiting", "timed_out": "failed",
}

// endWhy says what ends an instance, where that is not its own time.
var endWhy = map[instance.EndBy]string{instance.EndBySweep: "by the nightly sweep", instance.EndByIdle: "unless it is used before",
	instance.EndByBook: "with its booking"}

// statusView is a status with its colour, icon and words.
type statusView struct{ Name, Word, Hue, Note string }

func viewStatus(name, note string) statusView {
	return statusView{Name: name, Word: statusWords[name], Hue: hues[name], Note: note}
}

// appIconView is an app's icon: a file, or a text of one or two characters.
type appIconView struct {
	URL  template.URL
	Text string
}

// appView is an app on a card or a page.
type appView struct {
	Slug, Name, Description string
	Icon                    appIconView
	Tags                    []string
	Latest                  int
	Retired                 bool
	Unfit                   bool // no version has passed its certification
	Manifest                catalog.Manifest
}

func viewApp(a catalog.App) appView {
	m := a.Version.Manifest
	v := appView{Slug: a.Slug, Name: m.Name, Description: m.Description, Tags: m.Tags, Latest: a.Latest, Retired: a.Retired, Manifest: m,
		Unfit: a.Version.Certification.State == catalog.CertFailed}
	if v.Name == "" {
		v.Name = a.Slug
	}
	switch {
	case a.Version.IconSHA != "":
		v.Icon.URL = template.URL("/apps/" + a.Slug + "/icon?v=" + a.Version.IconSHA[:min(12, len(a.Version.IconSHA))])
	case m.Icon != "":
		v.Icon.Text = m.Icon
	default:
		v.Icon.Text = strings.ToUpper(string([]rune(v.Name + "?")[:1]))
	}
	return v
}

// instanceView is an instance on any page.
type instanceView struct {
	instance.Instance
	Words     string // the three words, which are its face
	State     statusView
	AppV      appView
	URL       string // only while it is running
	Host      string // of the URL, as people read it
	Live      bool   // its life is not over
	Owned     bool   // by who looks at it
	Kept      bool   // the sweep spares it
	End       instance.End
	EndWhy    string             // what ends it, where that is not its own time
	Soon      bool               // its owner was warned of its end
	Use       *instance.Activity // the last use of its app; nil: none yet
	IdleWords string             // how long it may be without use; empty: for ever
	Steps     []stepView
	Ready     float64 // seconds from the click to ready; 0: not yet
	Expect    float64 // seconds that the rest is expected to take; 0: unknown
	Ending    string  // how it ended, as a sentence
	Spent     float64 // what it has cost so far
}

// stepView is a segment of the progress line.
type stepView struct {
	instance.ProgressStep
	Took   float64 // seconds so far
	Expect float64 // usual seconds of a whole deploy, for the active one's bar
}

// reasonView is why something failed: what the portal says, and what the app's
// container printed, which is shown as it was printed.
type reasonView struct{ Said, Printed string }

func splitReason(text string) reasonView {
	const printed = "The last lines it printed:\n"
	before, after, found := strings.Cut(text, printed)
	if !found {
		return reasonView{Said: text}
	}
	return reasonView{Said: before + strings.TrimSpace(printed), Printed: after}
}

// words returns the words of a host name without the app's: "brave otter lamp".
func words(hostName, app string) string {
	w := strings.TrimSuffix(hostName, "-"+app)
	return strings.ReplaceAll(w, "-", " ")
}

// viewInstance reads what an instance's parts show, but not its progress.
func (s *Server) viewInstance(ctx context.Context, i instance.Instance, actor string) instanceView {
	v := instanceView{Instance: i, Words: words(i.HostName, i.App), Live: !i.Status.Ended(), Owned: i.Owner == actor}
	v.State, v.Kept = viewStatus(string(i.Status), ""), i.KeepUntil.After(s.cfg.Now())
	if i.Waiting != "" {
		v.State.Note = "waiting for " + i.Waiting
		if strings.HasSuffix(i.Waiting, "queue") {
			v.State.Note = i.Waiting
		}
	}
	v.End = instance.End{At: i.TimeLimitAt, By: instance.EndByTime}
	if v.Live {
		if end, err := s.cfg.Instances.EndOf(ctx, i); err == nil { // else its own time is shown
			v.End = end
		}
	}
	v.EndWhy, v.Soon = endWhy[v.End.By], i.Warned(v.End)
	if use := s.cfg.Instances.ActivityOf(i); !use.At.IsZero() {
		v.Use = &use
	}
	if i.IdleLimit > 0 {
		v.IdleWords = instance.LengthWords(i.IdleLimit)
	}
	address := s.cfg.Instances.URL(i)
	_, v.Host, _ = strings.Cut(address, "://")
	v.Host = strings.TrimSuffix(v.Host, "/")
	if i.Status == instance.Running {
		v.URL = address
	}
	if a, err := s.cfg.Apps.Get(ctx, i.App); err == nil {
		v.AppV = viewApp(a)
	} else { // the icon and the name alone are missing then
		v.AppV = viewApp(catalog.App{Slug: i.App})
	}
	if !i.ReadyAt.IsZero() {
		v.Ready = i.ReadyAt.Sub(i.CreatedAt).Seconds()
	}
	v.Spent = i.Cost(s.cfg.Now()).Cost
	if i.Status.Ended() {
		v.Ending = ending(i)
	}
	return v
}

// ending says why the life of an instance is over.
func ending(i instance.Instance) string {
	switch {
	case i.EndReason != "":
		return capital(i.EndReason)
	case i.EndedBy == iap.System.ID:
		return "Ended by the portal"
	case i.EndedBy != "":
		return "Ended by " + i.EndedBy
	}
	return ""
}

func capital(s string) string {
	if s == "" {
		return s
	}
	r := []rune(s)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// withProgress adds the progress line.
func (s *Server) withProgress(ctx context.Context, v instanceView) (instanceView, error) {
	p, err := s.cfg.Instances.Progress(ctx, v.Instance)
	if err != nil {
		return v, err
	}
	now, spent := s.cfg.Now(), 0.0
	for _, st := range p.Steps {
		took := st.Seconds(now)
		spent += took
		v.Steps = append(v.Steps, stepView{ProgressStep: st, Took: took, Expect: expectStep(p, st)})
	}
	if v.Ready == 0 && p.ExpectedSeconds > spent && v.Status != instance.Destroying {
		v.Expect = p.ExpectedSeconds - spent
	}
	return v, nil
}

// expectStep guesses the length of a step in seconds: what is left of the usual
// time of the whole way.
func expectStep(p instance.Progress, st instance.ProgressStep) float64 {
	if st.Name == "destroy" || st.Name == "verify" {
		return 2 // the usual time is that of the way to ready
	}
	if p.ExpectedSeconds <= 0 {
		return 10
	}
	before := 0.0
	for _, o := range p.Steps {
		if o.State == instance.StepDone && o.Name != st.Name {
			before += o.Seconds(time.Time{})
		}
	}
	return max(p.ExpectedSeconds-before, 0.5)
}
