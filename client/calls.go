package client

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
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
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("app", f.App)
	set("owner", f.Owner)
	set("q", f.Text)
	set("before", f.Before)
	for i, s := range f.Status {
		if i == 0 {
			q.Set("status", s)
			continue
		}
		q.Set("status", q.Get("status")+","+s)
	}
	if f.All {
		q.Set("all", "true")
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	var out List[Instance]
	return out, c.get(ctx, "/instances", q, &out)
}

// Instance returns one instance by ID, host name or a unique part of it.
func (c *Client) Instance(ctx context.Context, ref string) (i Instance, err error) {
	return i, c.get(ctx, "/instances/"+seg(ref), nil, &i)
}

// Destroy ends an instance and returns it as it is now.
func (c *Client) Destroy(ctx context.Context, ref string) (i Instance, err error) {
	_, err = c.call(ctx, request{method: http.MethodDelete, path: "/instances/" + seg(ref)}, &i)
	return i, err
}

// Events returns what happened to an instance, oldest first.
func (c *Client) Events(ctx context.Context, ref string) ([]Event, error) {
	var out List[Event]
	err := c.get(ctx, "/instances/"+seg(ref)+"/events", nil, &out)
	return out.Items, err
}

// Progress returns the steps of an instance.
func (c *Client) Progress(ctx context.Context, ref string) (p Progress, err error) {
	return p, c.get(ctx, "/instances/"+seg(ref)+"/progress", nil, &p)
}

// JobsOf returns the jobs of an instance, oldest first.
func (c *Client) JobsOf(ctx context.Context, ref string) ([]Job, error) {
	var out List[Job]
	err := c.get(ctx, "/instances/"+seg(ref)+"/jobs", nil, &out)
	return out.Items, err
}

// Jobs returns a page of the jobs that the person may see, newest first.
func (c *Client) Jobs(ctx context.Context, before string, limit int) (List[Job], error) {
	q := url.Values{}
	if before != "" {
		q.Set("before", before)
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	var out List[Job]
	return out, c.get(ctx, "/jobs", q, &out)
}

// Job returns one job.
func (c *Client) Job(ctx context.Context, id string) (j Job, err error) {
	return j, c.get(ctx, "/jobs/"+seg(id), nil, &j)
}

// CancelJob stops a job and returns it as it is now.
func (c *Client) CancelJob(ctx context.Context, id string) (j Job, err error) {
	_, err = c.post(ctx, "/jobs/"+seg(id)+"/cancel", nil, &j)
	return j, err
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
	var out List[App]
	err := c.get(ctx, "/apps", nil, &out)
	return out.Items, err
}

// App returns one app.
func (c *Client) App(ctx context.Context, slug string) (a App, err error) {
	return a, c.get(ctx, "/apps/"+seg(slug), nil, &a)
}

// Versions returns the versions of an app, newest first.
func (c *Client) Versions(ctx context.Context, slug string) ([]AppVersion, error) {
	var out List[AppVersion]
	err := c.get(ctx, "/apps/"+seg(slug)+"/versions", nil, &out)
	return out.Items, err
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
func (c *Client) Retire(ctx context.Context, slug string) (a App, err error) {
	_, err = c.post(ctx, "/apps/"+seg(slug)+"/retire", nil, &a)
	return a, err
}

// Unretire takes Retire back.
func (c *Client) Unretire(ctx context.Context, slug string) (a App, err error) {
	_, err = c.post(ctx, "/apps/"+seg(slug)+"/unretire", nil, &a)
	return a, err
}

// Me returns who the portal takes the client for.
func (c *Client) Me(ctx context.Context) (m Me, err error) { return m, c.get(ctx, "/me", nil, &m) }

// Version returns which program answers.
func (c *Client) Version(ctx context.Context) (v VersionInfo, err error) {
	return v, c.get(ctx, "/version", nil, &v)
}

// Certify has a version certified again; number 0 is the newest.
func (c *Client) Certify(ctx context.Context, slug string, number int) (v AppVersion, err error) {
	_, err = c.post(ctx, "/apps/"+seg(slug)+"/versions/"+strconv.Itoa(number)+"/certify", nil, &v)
	return v, err
}

// SkipCertification lets people have a version without a certification.
func (c *Client) SkipCertification(ctx context.Context, slug string, number int) (v AppVersion, err error) {
	_, err = c.post(ctx, "/apps/"+seg(slug)+"/versions/"+strconv.Itoa(number)+"/skip-certification", nil, &v)
	return v, err
}
