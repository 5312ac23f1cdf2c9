package web

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/edit"
	"github.com/internal-app-portal/iap/workflow"
)

// The statuses of a visit of a state.
const (
	visitActive   = "active"
	visitWaiting  = "waiting" // for a time, a token or a retry
	visitDone     = "done"
	visitCaught   = "caught" // it failed, and a catcher took it
	visitFailed   = "failed"
	visitAborted  = "aborted"
	visitUntouch  = "pending"
	iterationNone = -1
)

// visit is one time that an execution was in a state.
type visit struct {
	State, Type        string
	Number             int // from 0, in the order of entering
	Parent             int // the visit of the Parallel or Map state around it; -1: none
	Index              int // of the branch or iteration; -1: none
	Status             string
	Entered, Exited    time.Time
	EnterEvent, Ending int64 // numbers of events; 0: not yet
	Tries              int   // times that its task was scheduled
	Error, Cause       string
	Total, Ended, Lost int    // of a Map's iterations: all, ended well, failed
	MapRun             string // ID of the newest map run
	last               int64
	resource           string // of its task, as far as events tell
}

// replay is what a history tells of the states, as far as it was read. It is
// fed in order and keeps no inputs and outputs, but where they are.
type replay struct {
	visits  []visit
	byState map[string][]int
	regions map[string]edit.Region // of a state, by its name
	at      []spot                 // by number of event - 1
	Started time.Time
	ended   int64 // number of the event that ended the execution last; 0: none has
	again   []int // visits that a redrive goes on with, until they begin
}

// spot is where in the machine an event happened.
type spot struct {
	visit, index int32
	inside       bool // what is entered next is within the visit
	redriven     bool // it is a redrive, which goes on wherever it broke off
}

func newReplay(definition []byte) *replay {
	r := &replay{byState: map[string][]int{}, regions: map[string]edit.Region{}}
	g, err := edit.Read(definition)
	if err != nil {
		return r // no branch is told then
	}
	for _, s := range g.States {
		r.regions[s.Name] = g.Regions[s.Region]
	}
	return r
}

// told are the details that are read of an event's.
type told struct {
	Name     string `json:"name"`
	Error    string `json:"error"`
	Cause    string `json:"cause"`
	Resource string `json:"resource"`
	Index    int    `json:"index"`
	Length   int    `json:"length"`
	MapRun   string `json:"mapRunArn"`
}

func tell(e workflow.HistoryEvent) told {
	var all map[string]json.RawMessage
	var t told
	if key := asl.DetailsKey(e.Type); key != "" && json.Unmarshal(e.Details, &all) == nil {
		_ = json.Unmarshal(all[key], &t) // details of another shape tell nothing
	}
	return t
}

// take notes what one event says.
func (r *replay) take(e workflow.HistoryEvent) {
	for int64(len(r.at)) < e.Number {
		r.at = append(r.at, spot{visit: -1, index: iterationNone})
	}
	here := r.spot(e.Previous)
	switch {
	case strings.HasPrefix(e.Type, "Execution"):
		here = r.execution(e, here)
	case strings.HasSuffix(e.Type, "StateEntered"):
		here = r.enter(e, here)
	default:
		here = r.within(e, here)
	}
	r.at[e.Number-1] = here
	if here.visit >= 0 {
		r.visits[here.visit].last = e.Number
	}
}

func (r *replay) spot(number int64) spot {
	if number < 1 || number > int64(len(r.at)) {
		return spot{visit: -1, index: iterationNone}
	}
	return r.at[number-1]
}

func (r *replay) enter(e workflow.HistoryEvent, before spot) spot {
	t := tell(e)
	v := visit{State: t.Name, Type: strings.TrimSuffix(e.Type, "StateEntered"), Number: len(r.visits), Parent: -1, Index: iterationNone,
		Status: visitActive, Entered: e.Time, EnterEvent: e.Number}
	switch {
	case before.inside:
		v.Parent, v.Index = int(before.visit), int(before.index)
		if r.visits[before.visit].Type == string(asl.TypeParallel) {
			v.Index = r.regions[t.Name].Index
		}
	case before.visit >= 0:
		v.Parent, v.Index = r.visits[before.visit].Parent, r.visits[before.visit].Index
	}
	switch v.Type {
	case string(asl.TypeWait):
		v.Status = visitWaiting
	case string(asl.TypeFail): // no event tells that it is left
		v.Status, v.Exited, v.Ending = visitFailed, e.Time, e.Number
	}
	r.visits = append(r.visits, v)
	r.byState[v.State] = append(r.byState[v.State], v.Number)
	return spot{visit: int32(v.Number), index: iterationNone}
}

// within notes an event that happened in a state.
func (r *replay) within(e workflow.HistoryEvent, here spot) spot {
	t := tell(e)
	here.inside = false
	r.blame(int(here.visit), t)
	from := int(here.visit)
	if here.redriven {
		from = r.resumed(e, t, from)
	}
	n := r.climb(e, from, t.Name)
	if e.Type == "MapRunRedriven" {
		n = r.ofMapRun(lastPart(t.MapRun), n)
	}
	if n < 0 {
		return here
	}
	v := &r.visits[n]
	here = spot{visit: int32(n), index: iterationNone}
	switch {
	case strings.HasSuffix(e.Type, "StateExited"):
		v.Exited, v.Ending = e.Time, e.Number
		if v.Status = visitDone; v.Error != "" {
			v.Status = visitCaught
		}
	case strings.HasPrefix(e.Type, "MapIteration"):
		here.index = int32(t.Index)
		here.inside = e.Type == "MapIterationStarted"
		r.iteration(v, e.Type)
	case e.Type == "ParallelStateStarted":
		v.begin()
		here.inside = true
	case e.Type == "MapStateStarted":
		v.begin()
		v.Total, v.Ended, v.Lost = t.Length, 0, 0
	case e.Type == "MapRunStarted":
		v.MapRun = lastPart(t.MapRun)
	case e.Type == "MapRunRedriven":
		v.begin()
	case strings.HasSuffix(e.Type, "StateAborted"):
		v.Status, v.Exited, v.Ending = visitAborted, e.Time, e.Number
		if v.Error != "" { // it is what the others were stopped for
			v.Status = visitFailed
		}
	default:
		v.attempt(e, t)
	}
	return here
}

// lastPart is what follows the last colon of an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// ofMapRun finds the visit that began a map run.
func (r *replay) ofMapRun(id string, otherwise int) int {
	for n := range slices.Backward(r.visits) {
		if r.visits[n].MapRun == id {
			return n
		}
	}
	return otherwise
}

// begin notes that the work of a state begins, perhaps once more.
func (v *visit) begin() {
	v.Tries++
	v.Status, v.Error, v.Cause, v.Exited, v.Ending = visitActive, "", "", time.Time{}, 0
}

// attempt notes what became of a task, or of all branches.
func (v *visit) attempt(e workflow.HistoryEvent, t told) {
	switch {
	case strings.HasSuffix(e.Type, "Failed"), strings.HasSuffix(e.Type, "TimedOut"):
		v.Status = visitWaiting
		if t.Error != "" || v.Error == "" {
			v.Error, v.Cause = t.Error, t.Cause
		}
		if v.Error == "" {
			v.Error = e.Type
		}
	case strings.HasSuffix(e.Type, "Scheduled"):
		v.begin()
		v.resource = t.Resource
	case strings.HasSuffix(e.Type, "Submitted"):
		v.Status = visitWaiting
	case strings.HasSuffix(e.Type, "Succeeded"):
		v.Status, v.Error, v.Cause = visitActive, "", ""
	}
}

func (r *replay) iteration(v *visit, kind string) {
	switch kind {
	case "MapIterationSucceeded":
		v.Ended++
	case "MapIterationFailed", "MapIterationAborted":
		v.Lost++
	}
}

// climb finds the visit that an event belongs to: the one of the event before,
// or one around it.
func (r *replay) climb(e workflow.HistoryEvent, from int, name string) int {
	kind := ""
	switch {
	case strings.HasPrefix(e.Type, "ParallelState"):
		kind = string(asl.TypeParallel)
	case strings.HasPrefix(e.Type, "Map"):
		kind = string(asl.TypeMap)
	}
	named := strings.HasSuffix(e.Type, "StateExited") || strings.HasPrefix(e.Type, "MapIteration")
	for n := from; n >= 0; n = r.visits[n].Parent {
		v := &r.visits[n]
		if (kind == "" || v.Type == kind) && (!named || v.State == name) {
			return n
		}
	}
	if all := r.byState[name]; named && len(all) > 0 {
		return all[len(all)-1]
	}
	return from
}

// execution notes an event of the execution itself: its end leaves nothing
// under way.
func (r *replay) execution(e workflow.HistoryEvent, here spot) spot {
	switch e.Type {
	case "ExecutionStarted":
		r.Started = e.Time
		return spot{visit: -1, index: iterationNone}
	case "ExecutionSucceeded":
		return here
	case "ExecutionRedriven":
		r.reopen()
		here.redriven = true
		return here
	}
	t := tell(e)
	r.ended, r.again = e.Number, nil
	r.blame(int(here.visit), t)
	failed := map[int]bool{}
	if e.Type != "ExecutionAborted" {
		for n := int(here.visit); n >= 0; n = r.visits[n].Parent {
			failed[n] = true
		}
	}
	for n := range r.visits {
		v := &r.visits[n]
		if !v.Exited.IsZero() {
			continue
		}
		v.Exited, v.Ending, v.Status = e.Time, e.Number, visitAborted
		if failed[n] || v.Error != "" {
			v.Status = visitFailed
			if v.Error == "" {
				v.Error, v.Cause = t.Error, t.Cause
			}
		}
	}
	return here
}

// blame gives a Fail state that was just entered what the next event tells of its
// error.
func (r *replay) blame(n int, t told) {
	if n >= 0 && r.visits[n].Type == string(asl.TypeFail) && r.visits[n].Error == "" {
		r.visits[n].Error, r.visits[n].Cause = t.Error, t.Cause
	}
}

// reopen takes back the end of what a redrive goes on with: the states that the
// end of the execution found, and what had failed or was stopped within them.
func (r *replay) reopen() {
	open := map[int]bool{}
	for n := range r.visits {
		v := &r.visits[n]
		undone := v.Status == visitFailed || v.Status == visitAborted
		if !undone || v.Type == string(asl.TypeFail) || v.Ending != r.ended && !open[v.Parent] {
			continue // a Fail state fails at once again, and no event tells so
		}
		open[n] = true
		v.Tries, v.Error, v.Cause, v.Exited, v.Ending, v.Status = 0, "", "", time.Time{}, 0, visitWaiting
		switch v.Type {
		case string(asl.TypeParallel), string(asl.TypeMap):
			v.Status = visitActive
		default:
			r.again = append(r.again, n)
		}
	}
}

// resumed finds the state that an event after a redrive belongs to, which names
// none: the first with this resource, or of this type, that has not begun again.
func (r *replay) resumed(e workflow.HistoryEvent, t told, otherwise int) int {
	kind, _, inState := strings.Cut(e.Type, "State")
	scheduled := strings.HasSuffix(e.Type, "Scheduled")
	for k, n := range r.again {
		if v := r.visits[n]; scheduled && v.resource == t.Resource || inState && v.Type == kind {
			r.again = slices.Delete(r.again, k, k+1)
			return n
		}
	}
	return otherwise
}
