package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/client"
)

// certified waits for the certification of a version.
func (p *portal) certified(app string, number int) client.AppVersion {
	p.t.Helper()
	var out client.AppVersion
	err := p.until(p.t.Context(), func() (bool, error) {
		versions, err := p.Versions(p.t.Context(), app)
		for _, v := range versions {
			if v.Number == number {
				out = v
			}
		}
		return out.Number == number && out.Certification.Done(), err
	})
	if err != nil {
		p.t.Fatalf("version %d of %s is %s: %v", number, app, toJSON(out), err)
	}
	return out
}

func (p *portal) uncertified(manifest string) client.AppVersion {
	p.t.Helper()
	v, _, err := p.AddApp(p.t.Context(), client.Upload{Manifest: []byte(manifest)})
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// TestCertification: a version is deployed, checked, destroyed and verified
// before people have it; who deploys the only one waits for that.
func TestCertification(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	if v := p.uncertified(inspectorApp("probe")); v.Certification.State != "waiting" && v.Certification.State != "running" {
		t.Errorf("added, its certification is %s", toJSON(v.Certification))
	}
	mine, _, err := p.Deploy(t.Context(), deployOf("probe"))
	if err != nil || mine.Status != client.StatusQueued || mine.Waiting != "the certification of version 1" {
		t.Errorf("deployed at once it is %s, %v", toJSON(mine), err)
	}
	v := p.certified("probe", 1)
	if v.Certification.State != "passed" {
		t.Fatalf("certification: %s", toJSON(v.Certification))
	}
	i, err := p.Instance(t.Context(), v.Certification.Instance)
	if err != nil || i.Owner != "portal" || i.Status != client.StatusDestroyed || i.Receipt == nil || len(resources(t, i.ID)) > 0 {
		t.Errorf("it was certified by %s, %v", toJSON(i), err)
	}
	if mine = p.waitFor(t.Context(), mine.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() }); mine.Status != client.StatusRunning {
		t.Errorf("then the one that waited is %s", toJSON(mine))
	}
	p.destroy(mine.ID)

	second := p.uncertified(inspectorApp("probe", `environment: {FAIL_AT_START: "no licence"}`))
	if second.Number != 2 {
		t.Errorf("the next version is %d", second.Number)
	}
	v = p.certified("probe", 2)
	c := v.Certification
	if c.State != "failed" || c.Step != "the health check" && c.Step != "the deploy" || !strings.Contains(c.Reason, "no licence") || c.Job == "" {
		t.Errorf("a broken one: %s", toJSON(c))
	}
	if left := resources(t, c.Instance); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if a, err := p.App(t.Context(), "probe"); err != nil || a.Version != 1 || a.Newest != 2 {
		t.Errorf("people have version %d of %d, %v", a.Version, a.Newest, err)
	}
	_, _, err = p.Deploy(t.Context(), client.DeployRequest{App: "probe", Version: 2})
	wantStatus(t, "deploying what failed", err, http.StatusConflict)
	if i := p.deploy("probe", nil); i.Version != 1 {
		t.Errorf("deployed is version %d", i.Version)
	}
	events, err := p.EventLog(t.Context(), client.EventFilter{Type: "iap.app.certification"})
	if err != nil || len(events.Items) < 5 {
		t.Errorf("told: %s, %v", toJSON(events), err)
	}
	if _, body := get(t, p.URL()+"/apps/probe"); !strings.Contains(body, "no licence") || !strings.Contains(body, "/jobs/"+c.Job) || !strings.Contains(body, "Try again") {
		t.Errorf("the page does not tell why: %s", body)
	}

	if v, err = p.Certify(t.Context(), "probe", 2); err != nil || v.Certification.State != "waiting" {
		t.Errorf("tried again it is %s, %v", toJSON(v.Certification), err)
	}
	if v = p.certified("probe", 2); v.Certification.State != "failed" {
		t.Errorf("the second try: %s", toJSON(v.Certification))
	}
	if v, err = p.SkipCertification(t.Context(), "probe", 2); err != nil || v.Certification.State != "skipped" || v.Certification.By != "local-admin" || v.Certification.At.IsZero() {
		t.Errorf("skipped it is %s, %v", toJSON(v.Certification), err)
	}
	if a, err := p.App(t.Context(), "probe"); err != nil || a.Version != 2 {
		t.Errorf("then people have version %d, %v", a.Version, err)
	}
}

// TestCertificationOfTheOnlyVersionFails: who waits for it is told why, and
// nobody can deploy it after that.
func TestCertificationOfTheOnlyVersionFails(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	p.uncertified("slug: gone\nname: Gone\nimage: iap-no-such-image:1\nport: 80")
	mine, _, err := p.Deploy(t.Context(), deployOf("gone"))
	if err != nil {
		t.Fatal(err)
	}
	mine = p.waitFor(t.Context(), mine.ID, client.Instance.Ended)
	if mine.Status != client.StatusDeployFailed || !strings.Contains(mine.Reason, "did not pass its certification; it failed at the deploy") || !strings.Contains(mine.Reason, "no-such-image") {
		t.Errorf("who waited gets %s", toJSON(mine))
	}
	_, _, err = p.Deploy(t.Context(), deployOf("gone"))
	wantStatus(t, "deploying it then", err, http.StatusConflict)
	a, err := p.App(t.Context(), "gone")
	if err != nil || a.Version != 1 || a.Newest != 1 {
		t.Errorf("%s, %v", toJSON(a), err)
	}
}

// TestWhoSkipsACertification: admins do, and the portal for its examples.
func TestWhoSkipsACertification(t *testing.T) {
	p := startPortal(t, testConfig(t))
	versions, err := p.Versions(t.Context(), "todo")
	if err != nil || versions[0].Certification.State != "skipped" || versions[0].Certification.Reason != "seeded by --dev" {
		t.Errorf("an example: %s, %v", toJSON(versions), err)
	}
	v, _, err := p.AddApp(t.Context(), client.Upload{Manifest: []byte(inspectorApp("probe")), SkipCertification: true})
	if err != nil || v.Certification.State != "skipped" || v.Certification.By != "local-admin" {
		t.Errorf("by an admin: %s, %v", toJSON(v.Certification), err)
	}
	p, tokens := company(t)
	pat, jane := p.as(tokens["pat"]), p.as(tokens["jane"])
	_, _, err = pat.AddApp(t.Context(), client.Upload{Manifest: []byte(inspectorApp("probe")), SkipCertification: true})
	wantStatus(t, "by a publisher", err, http.StatusForbidden)
	p.addApp(inspectorApp("probe"))
	_, err = pat.SkipCertification(t.Context(), "probe", 1)
	wantStatus(t, "later by a publisher", err, http.StatusForbidden)
	_, err = jane.Certify(t.Context(), "probe", 1)
	wantStatus(t, "a member has it certified", err, http.StatusForbidden)
	_, err = p.Certify(t.Context(), "probe", 7)
	wantStatus(t, "a version that is not there", err, http.StatusNotFound)
}
