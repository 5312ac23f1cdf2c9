package cli

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/client"
)

type versionCmd struct{}

// versions is what version writes as JSON.
type versions struct {
	Version string              `json:"version"`
	Go      string              `json:"go"`
	Server  string              `json:"server"`
	Portal  *client.VersionInfo `json:"portal"` // null: it does not answer
}

func (c *versionCmd) Run(r *run) error {
	v := versions{Version: r.hooks.Version, Go: runtime.Version(), Server: r.flags.Server}
	if cl, err := r.client(); err == nil {
		ctx, cancel := context.WithTimeout(r.ctx, time.Second)
		defer cancel()
		if portal, err := cl.Version(ctx); err == nil {
			v.Portal = &portal
		}
	}
	if r.json() {
		return r.writeJSON(v)
	}
	r.print("iap %s (%s)", v.Version, v.Go)
	if v.Portal != nil {
		r.print("portal %s at %s", printable(v.Portal.Version), v.Server)
	}
	return nil
}

type tokenCmd struct {
	New tokenNewCmd `cmd:"" help:"Make a token: it goes to stdout, the lines for the portal's configuration to stderr."`
}

type tokenNewCmd struct {
	ID   string `help:"The person's stable name, an e-mail address." default:"you@example.com" placeholder:"EMAIL"`
	Name string `help:"As shown to others; default: the ID."`
	Role string `help:"member, publisher or admin." default:"member" enum:"member,publisher,admin"`
}

// newToken is what token new writes as JSON.
type newToken struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Role  iap.Role `json:"role"`
	Token string   `json:"token"`
	Sum   string   `json:"token_sha256"`
	// For AWS's clients the token is both.
	AccessKeyID     string `json:"aws_access_key_id"`
	SecretAccessKey string `json:"aws_secret_access_key"`
}

func (c *tokenNewCmd) Run(r *run) error {
	if c.Name == "" {
		c.Name = c.ID
	}
	token, sum := auth.NewToken()
	person := auth.Person{ID: c.ID, Name: c.Name, Role: iap.Role(c.Role), TokenSHA256: sum}
	if err := auth.CheckPeople([]auth.Person{person}); err != nil {
		return exitf(codeUsage, "%w", err)
	}
	if r.json() {
		return r.writeJSON(newToken{ID: c.ID, Name: c.Name, Role: person.Role, Token: token, Sum: sum,
			AccessKeyID: token, SecretAccessKey: token})
	}
	r.note("# The portal knows the token by its hash alone; it is printed this once.\n# In the file of iap serve --config:")
	fmt.Fprintf(r.err, auth.LoginExample, yamlText(c.ID), yamlText(c.Name), c.Role, sum)
	r.note("# AWS's clients of Step Functions take the token as both:\n" +
		"#   export AWS_ACCESS_KEY_ID=$IAP_TOKEN AWS_SECRET_ACCESS_KEY=$IAP_TOKEN AWS_REGION=us-east-1")
	r.hint("# The token, for IAP_TOKEN or the page /login:")
	r.print("%s", token)
	return nil
}
