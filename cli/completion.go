package cli

import (
	"embed"
	"io/fs"
)

//go:embed shells/*
var shells embed.FS

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

func (c *completionCmd) Run(r *run) error {
	script, err := fs.ReadFile(shells, "shells/"+c.Shell)
	if err != nil {
		return err
	}
	_, err = r.out.Write(script)
	return err
}
