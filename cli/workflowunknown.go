package cli

import (
	"errors"
	"net/http"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
)

// notFound tells whether the portal knows of no such thing.
func notFound(err error) bool {
	var answer *client.Error
	return errors.As(err, &answer) && answer.Status == http.StatusNotFound
}

// unknownMachine says which state machine there is not, and which may be meant.
func (r *run) unknownMachine(cl *client.Client, name string, err error) error {
	if !notFound(err) {
		return err
	}
	var names []string
	if page, err := cl.StateMachines(r.ctx, "", 500); err == nil {
		for _, m := range page.Items {
			names = append(names, m.Name)
		}
	}
	return exitf(codeNotFound, "unknown state machine %q%s", name, suggest(name, names))
}

// unknownExecution says where the IDs of executions are to be had, when what is
// given is none.
func unknownExecution(ref string, err error) error {
	if !notFound(err) || iap.ValidID(ref) {
		return err
	}
	return exitf(codeNotFound, "%q is no ID of an execution; \"iap workflow ls STATE-MACHINE\" lists them", ref)
}
