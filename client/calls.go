package client

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Deploy asks for an instance; created is false when it was there already.
func (c *Client) Deploy(ctx context.Context, in DeployRequest) (i Instance, created bool, err error) {
	status, err := c.post(ctx, "/instances", in, &i)
	return i, status == http.StatusCreated, err
}

// InstanceFilter chooses instances; empty fields choose all.
type InstanceFilter struct {
	App, Owner string
	Status     []string
	Text       string // part of the host name, app or owner
	All        bool   // everybody's, for admins
	Before     string // Next of the page before
	Limit      int    // 1 to 500; 0: 100
}

// Instances returns a page of instances, newest first.
func (c *Client) Instances(ctx context.Context, f InstanceFilter) (List[Instance], error) {
	return get[List[Instance]](ctx, c, "/instances", query(map[string]any{"app": f.App, "owner": f.Owner, "q": f.Text,
		"status": strings.Join(f.Status, ","), "all": f.All, "before": f.Before, "limit": f.Limit}))
}

// Instance returns one instance by ID, host name or a unique part of it.
func (c *Client) Instance(ctx context.Context, ref string) (Instance, error) {
	return get[Instance](ctx, c, "/instances/"+seg(ref), nil)
}

// Destroy ends an instance and returns it as it is now.
func (c *Client) Destroy(ctx context.Context, ref string) (Instance, error) {
	return send[Instance](ctx, c, http.MethodDelete, "/instances/"+seg(ref), nil)
}

// Events returns what happened to an instance, oldest first.
func (c *Client) Events(ctx context.Context, ref string) ([]Event, error) {
	return items[Event](ctx, c, "/instances/"+seg(ref)+"/events", nil)
}

// Progress returns the steps of an instance.
func (c *Client) Progress(ctx context.Context, ref string) (Progress, error) {
	return get[Progress](ctx, c, "/instances/"+seg(ref)+"/progress", nil)
}

// JobsOf returns the jobs of an instance, oldest first.
func (c *Client) JobsOf(ctx context.Context, ref string) ([]Job, error) {
	return items[Job](ctx, c, "/instances/"+seg(ref)+"/jobs", nil)
}

// JobFilter chooses jobs; empty fields choose all.
type JobFilter struct {
	App, Owner, Kind string
	Status           []string
	Before           string // Next of the page before
	Limit            int    // 1 to 500; 0: 100
}

// Jobs returns a page of the jobs that the person may see, newest first.
func (c *Client) Jobs(ctx context.Context, f JobFilter) (List[Job], error) {
	return get[List[Job]](ctx, c, "/jobs", query(map[string]any{"app": f.App, "owner": f.Owner, "kind": f.Kind, "status": strings.Join(f.Status, ","),
		"before": f.Before, "limit": f.Limit}))
}

// Job returns one job.
func (c *Client) Job(ctx context.Context, id string) (Job, error) {
	return get[Job](ctx, c, "/jobs/"+seg(id), nil)
}

// CancelJob stops a job and returns it as it is now.
func (c *Client) CancelJob(ctx context.Context, id string) (Job, error) {
	return send[Job](ctx, c, http.MethodPost, "/jobs/"+seg(id)+"/cancel", nil)
}

// Log returns a job's log from the byte offset. With follow it goes on until
// the job has ended or ctx is done. The caller closes it.
func (c *Client) Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error) {
	q := url.Values{}
	if offset > 0 {
		q.Set("offset", strconv.FormatInt(offset, 10))
	}
	if follow {
		q.Set("follow", "true")
	}
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/jobs/" + seg(id) + "/log", query: q})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Apps returns the catalogue.
func (c *Client) Apps(ctx context.Context) ([]App, error) {
	return items[App](ctx, c, "/apps", nil)
}

// App returns one app.
func (c *Client) App(ctx context.Context, slug string) (App, error) {
	return get[App](ctx, c, "/apps/"+seg(slug), nil)
}

// Versions returns the versions of an app, newest first.
func (c *Client) Versions(ctx context.Context, slug string) ([]AppVersion, error) {
	return items[AppVersion](ctx, c, "/apps/"+seg(slug)+"/versions", nil)
}

// AddApp uploads a version; created is false when its content is that of the
// newest version, which is returned.
func (c *Client) AddApp(ctx context.Context, up Upload) (v AppVersion, created bool, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct {
		name, file string
		data       []byte
	}{{"manifest", "iap.yaml", up.Manifest}, {"bundle", "bundle.zip", up.Bundle}, {"icon", "icon", up.Icon}} {
		if len(part.data) == 0 {
			continue
		}
		w, err := form.CreateFormFile(part.name, part.file)
		if err == nil {
			_, err = w.Write(part.data)
		}
		if err != nil {
			return v, false, err
		}
	}
	if up.SkipCertification {
		if err := form.WriteField("skip_certification", "true"); err != nil {
			return v, false, err
		}
	}
	if err := form.Close(); err != nil {
		return v, false, err
	}
	status, err := c.call(ctx, request{method: http.MethodPost, path: "/apps", body: &body,
		contentType: form.FormDataContentType()}, &v)
	return v, status == http.StatusCreated, err
}

// Retire hides an app from those who deploy; Unretire takes that back.
func (c *Client) Retire(ctx context.Context, slug string) (App, error) {
	return send[App](ctx, c, http.MethodPost, "/apps/"+seg(slug)+"/retire", nil)
}

// Unretire takes Retire back.
func (c *Client) Unretire(ctx context.Context, slug string) (App, error) {
	return send[App](ctx, c, http.MethodPost, "/apps/"+seg(slug)+"/unretire", nil)
}

// Me returns who the portal takes the client for.
func (c *Client) Me(ctx context.Context) (Me, error) { return get[Me](ctx, c, "/me", nil) }

// Version returns which program answers.
func (c *Client) Version(ctx context.Context) (VersionInfo, error) {
	return get[VersionInfo](ctx, c, "/version", nil)
}

// Certify has a version certified again; number 0 is the newest.
func (c *Client) Certify(ctx context.Context, slug string, number int) (AppVersion, error) {
	return send[AppVersion](ctx, c, http.MethodPost, "/apps/"+seg(slug)+"/versions/"+strconv.Itoa(number)+"/certify", nil)
}

// SkipCertification lets people have a version without a certification.
func (c *Client) SkipCertification(ctx context.Context, slug string, number int) (AppVersion, error) {
	return send[AppVersion](ctx, c, http.MethodPost, "/apps/"+seg(slug)+"/versions/"+strconv.Itoa(number)+"/skip-certification", nil)
}
