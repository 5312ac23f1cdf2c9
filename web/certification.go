package web

import (
	"net/http"
	"strconv"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

// versionView is a version in the list of an app's page.
type versionView struct {
	catalog.Version
	State statusView // of its certification; without a name where there is none
	Again bool       // it can be tried again
}

var (
	certWords = map[catalog.CertificationState]string{catalog.CertWaiting: "Waiting", catalog.CertRunning: "Being certified",
		catalog.CertPassed: "Certified", catalog.CertFailed: "Failed", catalog.CertSkipped: "Skipped"}
	certHues = map[catalog.CertificationState]string{catalog.CertWaiting: "waiting", catalog.CertRunning: "working",
		catalog.CertPassed: "running", catalog.CertFailed: "failed", catalog.CertSkipped: "waiting"}
	certIcons = map[catalog.CertificationState]string{catalog.CertWaiting: "queued", catalog.CertRunning: "checking",
		catalog.CertPassed: "done", catalog.CertFailed: "failed", catalog.CertSkipped: "destroyed"}
)

func viewVersion(v catalog.Version) versionView {
	c := v.Certification.State
	return versionView{Version: v, Again: c == catalog.CertFailed || c == catalog.CertSkipped,
		State: statusView{Name: certIcons[c], Word: certWords[c], Hue: certHues[c]}}
}

// certify has a version certified again, or skips that.
func (s *Server) certify(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	slug := r.PathValue("slug")
	number, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || number < 1 {
		return iap.Errorf("web", iap.NotFound, "no version %q", r.PathValue("number"))
	}
	do := s.cfg.Apps.Certify
	if r.PostForm.Get("skip") != "" {
		do = s.cfg.Apps.SkipCertification
	}
	if _, err := do(r.Context(), actor, slug, number); err != nil {
		return err
	}
	return seeOther(w, r, "/apps/"+slug)
}
