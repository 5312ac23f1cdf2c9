package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/job"
)

// prepare makes the folder in which the tool runs.
func (s *supervisor) prepare(ctx context.Context) error {
	if s.spec.Kind == job.Destroy && s.noState(ctx) {
		return nil
	}
	if s.spare == nil {
		if err := s.makeFolders(); err != nil {
			return fmt.Errorf("the job's folder cannot be made: %w", err)
		}
		if err := s.makeReady(ctx); err != nil {
			return err
		}
	}
	if s.spec.Variables == nil {
		s.spec.Variables = map[string]any{}
	}
	variables, err := json.Marshal(s.spec.Variables)
	if err != nil {
		return fmt.Errorf("the bundle's variables: %w", err)
	}
	return writeFile(s.f.path(variablesFile), variables, false)
}

func (s *supervisor) makeFolders() error {
	s.home = s.f.path(homeFolder)
	if err := os.MkdirAll(s.home, 0o700); err != nil {
		return err
	}
	// A provider's socket is made in TMPDIR, and the path of a socket has 108
	// bytes at most.
	s.tmp = s.home
	if len(s.tmp) > 70 {
		var err error
		if s.tmp, err = os.MkdirTemp("", "iap-"); err != nil {
			return err
		}
	}
	return nil
}

// clean removes what is outside of the job's folder.
func (s *supervisor) clean() {
	s.endProvider()
	if s.state != nil {
		s.state.close()
	}
	if s.tmp != "" && s.tmp != s.f.path(homeFolder) {
		_ = os.RemoveAll(s.tmp)
	}
}

// makeReady sees to it that the bundle is initialised, and copies it. A step
// tells of the first time.
func (s *supervisor) makeReady(ctx context.Context) error {
	ready := readyFolder(s.plan.Bundle, s.plan.Binary, s.plan.CLIConfig)
	if _, err := os.Stat(ready); err != nil {
		if err := s.step("init", func() error { return s.init(ctx, ready) }); err != nil {
			return err
		}
	}
	_ = os.RemoveAll(s.f.path(workFolder))
	s.startProvider(ready)
	if err := workCopy(ready, s.f.path(workFolder)); err != nil {
		return fmt.Errorf("the bundle cannot be copied: %w", err)
	}
	return nil
}

func (s *supervisor) init(ctx context.Context, ready string) error {
	err := initialise(ctx, s.plan.Bundle, ready, func(ctx context.Context, dir string, env []string, args ...string) error {
		rep, killed, err := s.tool.run(ctx, dir, append(s.environment(false), env...), args...)
		if err == nil {
			return nil
		}
		if killed {
			return &failure{job.ErrKilled, fmt.Sprintf("%s was ended: %v", s.toolName(), err)}
		}
		reason := rep.reason(s.spec.BuiltIn)
		if reason == "" {
			reason = err.Error()
		}
		return &failure{job.ErrInitFailed, reason}
	})
	var f *failure
	if err != nil && !errors.As(err, &f) {
		return &failure{job.ErrInitFailed, "the bundle cannot be initialised: " + err.Error()}
	}
	return err
}

func (s *supervisor) toolName() string {
	if strings.Contains(filepath.Base(s.plan.Binary), "tofu") {
		return "OpenTofu"
	}
	return "Terraform"
}

// act runs the step that the job is there for.
func (s *supervisor) act(ctx context.Context) (rep *report, err error) {
	err = s.step(string(s.spec.Kind), func() error {
		if s.tmp == "" { // nothing was prepared: there is no state
			s.log.say("There is nothing to destroy: the instance has no Terraform state.")
			return nil
		}
		var err error
		rep, err = s.attempts(ctx)
		return err
	})
	return rep, err
}

// attempts runs the tool, again where another way may help: without the warm
// provider when that does not answer, with a new init when the old one does not
// fit any more, from a state that was handed over late, and a destroy with a
// refresh when that without one failed.
func (s *supervisor) attempts(ctx context.Context) (*report, error) {
	s.useProvider(ctx)
	warm, refresh, readyAgain, rescuedAgain := s.plan.Reattach != "", s.spec.Kind == job.Apply, false, false
	for {
		rep, killed, err := s.try(ctx, warm, refresh)
		if err == nil {
			if ctx.Err() != nil && s.spec.Kind == job.Apply {
				return rep, context.Cause(ctx)
			}
			return rep, nil
		}
		rescued, lost := s.rescueState(ctx)
		name, reason := rep.classify(s.spec)
		if reason == "" {
			reason = fmt.Sprintf("%s ended without a word: %v", s.toolName(), err)
		}
		fail := &failure{name, reason}
		mayRepeat := !rep.acted || s.spec.Kind == job.Destroy
		switch {
		case ctx.Err() != nil:
			return rep, context.Cause(ctx)
		case lost != nil:
			return rep, lost
		case rescued && !rescuedAgain:
			rescuedAgain = true // all may be there already
		case killed:
			return rep, &failure{job.ErrKilled, fmt.Sprintf("%s was ended: %v", s.toolName(), err)}
		case warm && mayRepeat && rep.says(pluginGone):
			warm = false
			s.endProvider()
			s.log.say("The provider that was running already does not answer; starting another one.")
		case !readyAgain && !rep.acted && rep.says(notReady):
			readyAgain = true
			s.log.say("The bundle must be initialised again.")
			s.endProvider() // it works in the folder that is made anew
			warm = warm && s.plan.Reattach != ""
			if err := s.makeReadyAgain(ctx); err != nil {
				return rep, err
			}
		case !refresh && name != job.ErrUnavailable:
			refresh = true
			s.log.say("Trying again with a look at what is really there.")
		default:
			return rep, fail
		}
	}
}

// try runs the tool once; first the one that a spare supervisor has waiting.
func (s *supervisor) try(ctx context.Context, warm, refresh bool) (*report, bool, error) {
	if waiting := s.spare; waiting != nil {
		s.spare = nil
		rep, killed, err := s.followSpare(ctx, waiting)
		if err == nil || ctx.Err() != nil || rep.acted || rep.reason(s.spec.BuiltIn) != "" {
			return rep, killed, err
		}
		s.log.say("The run that was prepared ended; starting another one.")
	}
	return s.tool.run(ctx, s.f.path(workFolder), s.environment(warm), s.arguments(refresh)...)
}

// makeReadyAgain puts the bundle's ready folder aside and makes a new one.
func (s *supervisor) makeReadyAgain(ctx context.Context) error {
	ready := readyFolder(s.plan.Bundle, s.plan.Binary, s.plan.CLIConfig)
	unlock, err := lockBundle(ctx, s.plan.Bundle)
	if err != nil {
		return err
	}
	stale, err := os.MkdirTemp(s.plan.Bundle, ".stale-")
	if err == nil {
		err = os.Rename(ready, filepath.Join(stale, "ready"))
	}
	unlock()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(stale)
	return s.makeReady(ctx)
}

func (s *supervisor) arguments(refresh bool) []string {
	return s.argumentsWith(s.f.path(variablesFile), refresh)
}

func (s *supervisor) argumentsWith(variables string, refresh bool) []string {
	args := []string{"apply"}
	if s.spec.Kind == job.Destroy {
		args = append(args, "-destroy")
		if !refresh {
			args = append(args, "-refresh=false")
		}
	}
	// The lock may be that of a job which is just ending.
	return append(args, "-json", "-auto-approve", "-input=false", "-lock-timeout=20s",
		"-var-file="+variables)
}

// environment returns the whole environment of the tool: nothing of the
// portal's own reaches the code of a bundle but what is listed here.
func (s *supervisor) environment(warm bool) []string {
	env := map[string]string{
		// Two minutes of a portal that starts again, noticed soon after it is back.
		"TF_HTTP_RETRY_MAX": "60", "TF_HTTP_RETRY_WAIT_MAX": "2",
		// A short run collects garbage for a fifth of its time, and hardly needs
		// more memory at its peak without.
		"GOGC": "off", "GOMEMLIMIT": "512MiB",
	}
	for name, v := range s.spec.Environment {
		env[name] = v
	}
	for name, v := range s.plan.Inherited {
		env[name] = v
	}
	st := s.spec.State
	for name, v := range map[string]string{
		"PATH": s.plan.Path, "HOME": s.home, "TMPDIR": s.tmp,
		"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1",
		"TF_CLI_CONFIG_FILE": s.plan.CLIConfig, "DOCKER_HOST": s.plan.Docker,
		"TF_HTTP_ADDRESS": st.Address, "TF_HTTP_LOCK_ADDRESS": st.Address, "TF_HTTP_UNLOCK_ADDRESS": st.Address,
		"TF_HTTP_USERNAME": st.Username, "TF_HTTP_PASSWORD": st.Password,
		"TF_REATTACH_PROVIDERS": s.plan.Reattach,
	} {
		if v != "" {
			env[name] = v
		}
	}
	if !warm {
		delete(env, "TF_REATTACH_PROVIDERS")
	}
	out := make([]string, 0, len(env))
	for name, v := range env {
		out = append(out, name+"="+v)
	}
	slices.Sort(out)
	return out
}
