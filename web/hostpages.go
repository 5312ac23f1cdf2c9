package web

import (
	"context"
	"encoding/base64"
	"html/template"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/internal-app-portal/iap/instance"
)

// HostPages are the pages on the hosts of instances that do not answer for
// themselves: while one deploys, after its end, when its app is silent, and for
// a name that was never given out. What they need lies on the same
// host, so that nothing of the portal's is asked for from there; they tell no
// more than whoever has the address may know.
type HostPages struct {
	s      *Server
	portal string
}

// HostPages returns the pages for the hosts of instances; portalURL is where
// people find the portal.
func (s *Server) HostPages(portalURL string) *HostPages {
	return &HostPages{s: s, portal: strings.TrimSuffix(portalURL, "/")}
}

type hostPage struct {
	Title  string
	Portal string
	I      instanceView
	Host   string
	Kind   string // instance, unknown, unanswered, early
	Reload bool   // it moves on by itself
	Wait   bool   // it follows the progress
	// Of kind early: the seconds until it opens, and whether who asks may look at
	// it before.
	OpensIn int
	Preview bool
}

// Instance writes the page of an instance by its status: waiting, or ended.
func (p *HostPages) Instance(ctx context.Context, w io.Writer, i instance.Instance) error {
	v, err := p.view(ctx, i)
	if err != nil {
		return err
	}
	title := v.Words + ": " + strings.ToLower(v.State.Word)
	return p.write(ctx, w, hostPage{Title: title, I: v, Kind: "instance", Wait: v.Live, Reload: v.Live && i.Status != instance.Destroying})
}

// Unanswered writes the page of an instance that runs but whose app does not
// answer.
func (p *HostPages) Unanswered(ctx context.Context, w io.Writer, i instance.Instance) error {
	v, err := p.view(ctx, i)
	if err != nil {
		return err
	}
	return p.write(ctx, w, hostPage{Title: v.AppV.Name + " does not answer", I: v, Kind: "unanswered", Reload: i.Reason == ""})
}

// Early writes the page of an instance that opens later.
func (p *HostPages) Early(ctx context.Context, w io.Writer, i instance.Instance, preview bool) error {
	v, err := p.view(ctx, i)
	if err != nil {
		return err
	}
	left := max(1, int(math.Ceil(i.OpensAt.Sub(p.s.cfg.Now()).Seconds())))
	return p.write(ctx, w, hostPage{Title: v.AppV.Name + " opens later", I: v, Kind: "early", OpensIn: left, Preview: preview && i.Status == instance.Running})
}

// Unknown writes the page of a name that was never given out.
func (p *HostPages) Unknown(ctx context.Context, w io.Writer, host string) error {
	return p.write(ctx, w, hostPage{Title: "Nothing at this address", Host: host, Kind: "unknown"})
}

// Progress writes what a waiting page shows of an instance now.
func (p *HostPages) Progress(ctx context.Context, w io.Writer, i instance.Instance) error {
	v, err := p.view(ctx, i)
	if err != nil {
		return err
	}
	return p.s.pages.set.ExecuteTemplate(w, "host-board", v)
}

// view leaves out what is the owner's and the admins' alone.
func (p *HostPages) view(ctx context.Context, i instance.Instance) (instanceView, error) {
	i.Parameters, i.Upstream, i.Execution = nil, "", ""
	v, err := p.s.withProgress(ctx, p.s.viewInstance(ctx, i, ""))
	if v.AppV.Icon.URL != "" { // a file of the portal's host
		v.AppV.Icon = appIconView{Text: strings.ToUpper(string([]rune(v.AppV.Name + "?")[:1]))}
	}
	return v, err
}

// mostIcon is up to how many bytes an app's icon is put into the page.
const mostIcon = 64 << 10

// face gives a page the app's icon: within the page, because a request to the
// portal's host would tell that host who looks, and be refused to a guest.
func (p *HostPages) face(ctx context.Context, v *instanceView) {
	a, err := p.s.cfg.Apps.Get(ctx, v.App)
	if err != nil || a.Version.IconSHA == "" {
		return // its letter stands there
	}
	data, mediaType, err := p.s.cfg.Apps.Icon(ctx, a.Version)
	if err != nil || len(data) > mostIcon || !strings.HasPrefix(mediaType, "image/") {
		return
	}
	v.AppV.Icon = appIconView{URL: template.URL("data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(data))}
}

func (p *HostPages) write(ctx context.Context, w io.Writer, page hostPage) error {
	page.Portal = p.portal
	if page.Kind != "unknown" {
		p.face(ctx, &page.I)
	}
	return p.s.pages.set.ExecuteTemplate(w, "host-page", page)
}

// Asset serves the files that the pages need, by the last part of the path.
func (p *HostPages) Asset(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	switch name {
	case "page.css", "page.js", "bar.js", "theme.js", "inter.woff2", "jetbrains-mono.woff2":
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		p.s.assets.byName[name].write(w, r)
	default:
		http.NotFound(w, r)
	}
}
