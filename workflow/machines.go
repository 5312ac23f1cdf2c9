package workflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// machineCache keeps parsed definitions by their hash; definitions never
// change.
type machineCache struct {
	mu     sync.Mutex
	m      map[string]*parsedMachine
	stored map[string]bool // those that the database has
}

// maxDefinitions bounds the definitions in memory; each may be a megabyte.
const maxDefinitions = 1000

type parsedMachine struct {
	name    string
	machine *asl.Machine
	// inStep tells that its handlers work in the transaction of the step.
	inStep atomic.Bool
}

func (c *machineCache) get(id string) (*parsedMachine, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.m[id]
	return p, ok
}

func (c *machineCache) put(id string, p *parsedMachine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string]*parsedMachine{}
	}
	if len(c.m) >= maxDefinitions {
		for other := range c.m { // any one will do
			delete(c.m, other)
			delete(c.stored, other)
			break
		}
	}
	c.m[id] = p
}

// isStored reports whether a definition is known to be in the database: that it
// was parsed once does not say so, since that transaction may have failed.
func (c *machineCache) isStored(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stored[id]
}

func (c *machineCache) markStored(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.m[id]; !ok {
		return // pushed out meanwhile
	}
	if c.stored == nil {
		c.stored = map[string]bool{}
	}
	c.stored[id] = true
}

// PutStateMachine stores a definition under a name and returns its ID. The
// error is Invalid and lists all problems when the definition is not right.
func (e *Engine) PutStateMachine(ctx context.Context, name string, definition []byte, now time.Time) (string, error) {
	sum := sha256.Sum256(append([]byte(name+"\x00"), definition...))
	id := hex.EncodeToString(sum[:])
	if e.machines.isStored(id) {
		return id, nil
	}
	m, problems := asl.Parse(definition)
	if m == nil {
		return "", invalidDefinition(problems)
	}
	err := e.Store.PutStateMachine(ctx, StateMachine{ID: id, Name: name, Definition: definition, CreatedAt: now})
	if err != nil {
		return "", err
	}
	e.machines.put(id, &parsedMachine{name: name, machine: m})
	iap.AfterCommit(ctx, func() { e.machines.markStored(id) })
	return id, nil
}

func (e *Engine) machine(ctx context.Context, id string) (*parsedMachine, error) {
	if p, ok := e.machines.get(id); ok {
		return p, nil
	}
	sm, err := e.Store.StateMachine(ctx, id)
	if err != nil {
		return nil, err
	}
	m, problems := asl.Parse(sm.Definition)
	if m == nil {
		return nil, invalidDefinition(problems)
	}
	p := &parsedMachine{name: sm.Name, machine: m}
	e.machines.put(id, p)
	return p, nil
}

func invalidDefinition(problems []asl.Problem) *iap.Error {
	if len(problems) == 0 {
		return iap.FieldErrorf("workflow.PutStateMachine", "definition", "it is not a state machine")
	}
	p := problems[0]
	at, more := "", ""
	if p.Pointer != "" {
		at = ", " + p.Pointer
	}
	if len(problems) > 1 {
		more = fmt.Sprintf(" (%d problems in all)", len(problems))
	}
	return iap.FieldErrorf("workflow.PutStateMachine", "definition", "line %d, column %d%s: %s%s", p.Line, p.Column, at, p.Message, more)
}
