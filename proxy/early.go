package proxy

import (
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/internal-app-portal/iap/instance"
)

// previewPath leads who may look at an instance before it opens to it; the
// browser keeps that for its session.
const previewPath = ownPath + "preview"

// PreviewCookie is the name of the cookie that says so. It opens nothing by
// itself: who has it must be allowed to preview as well.
const PreviewCookie = "iap_preview"

// opened reports whether an instance opens to a request now, and answers itself
// when it does not. What a page needs, and its progress, are always there.
func (p *Proxy) opened(w http.ResponseWriter, r *http.Request, i instance.Instance, preview bool) bool {
	asked := r.URL.Path == previewPath
	if i.OpensAt.IsZero() && !asked {
		return true
	}
	left := i.OpensAt.Sub(p.cfg.Now())
	switch {
	case asked && preview:
		http.SetCookie(w, &http.Cookie{Name: PreviewCookie, Value: "1", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
		fallthrough
	case asked:
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return false
	case left <= 0 || i.Status.Ended() || r.URL.Path == streamPath:
		return true
	}
	if _, err := r.Cookie(PreviewCookie); err == nil && preview {
		return true
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(left.Seconds()))))
	p.page(w, r, http.StatusServiceUnavailable, "the instance opens at "+i.OpensAt.UTC().Format("2006-01-02T15:04:05Z"), func(out io.Writer) error {
		return p.cfg.Pages.Early(r.Context(), out, i, preview)
	})
	return false
}
