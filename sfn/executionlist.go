package sfn

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/internal-app-portal/iap/workflow"
)

type listExecutions struct {
	ARN      *string `json:"stateMachineArn" check:"min=1,max=256"`
	Status   string  `json:"statusFilter" check:"enum=RUNNING|SUCCEEDED|FAILED|TIMED_OUT|ABORTED|PENDING_REDRIVE"`
	Max      *int64  `json:"maxResults" check:"min=0,max=1000"`
	Token    *string `json:"nextToken" check:"min=1,max=3096"`
	MapRun   *string `json:"mapRunArn" check:"min=1,max=2000"`
	Redriven string  `json:"redriveFilter" check:"enum=REDRIVEN|NOT_REDRIVEN"`
}

// filter turns a request into what is to be listed.
func (r *request) filter(in listExecutions) (f workflow.ExecutionFilter, err error) {
	f.Status = workflow.Status(in.Status)
	if in.Redriven != "" {
		redriven := in.Redriven == "REDRIVEN"
		f.Redriven = &redriven
	}
	switch {
	case in.ARN == nil && in.MapRun == nil:
		return f, invalid("Must provide a StateMachine ARN or MapRun ARN")
	case in.ARN != nil && in.MapRun != nil:
		return f, invalid("Must provide only one of StateMachine ARN and MapRun ARN")
	case in.MapRun != nil:
		return r.ofMapRun(f, *in.MapRun)
	}
	a, err := machineARN(*in.ARN)
	if err != nil {
		return f, err
	}
	if err := r.visible(a.Name, *in.ARN); err != nil {
		return f, err
	}
	m, err := r.Machines.Machine(r.ctx, a.Name)
	if err != nil {
		return f, explain(err, *in.ARN)
	}
	if m.Type == workflow.Express {
		return f, explain(workflow.ErrNotStandard, *in.ARN)
	}
	f.Machine = a.Name
	if a.Rest == "" {
		return f, nil
	}
	n, ok := a.Version()
	if ok {
		f.Version = n
		_, err = r.Machines.Version(r.ctx, a.Name, n)
	} else {
		f.Alias = a.Rest
		_, err = r.Machines.Alias(r.ctx, a.Name, a.Rest)
	}
	if err != nil {
		return f, noResource(*in.ARN)
	}
	return f, nil
}

type executionItem struct {
	ARN      string `json:"executionArn"`
	Machine  string `json:"stateMachineArn"`
	Name     string `json:"name"`
	Status   string `json:"status"`
	Started  stamp  `json:"startDate"`
	Stopped  *stamp `json:"stopDate,omitempty"`
	MapRun   string `json:"mapRunArn,omitempty"`
	Items    *int64 `json:"itemCount,omitempty"`
	Version  string `json:"stateMachineVersionArn,omitempty"`
	Alias    string `json:"stateMachineAliasArn,omitempty"`
	Redrives int    `json:"redriveCount"`
	Redriven *stamp `json:"redriveDate,omitempty"`
}

func (r *request) listExecutions(in listExecutions) (any, error) {
	p := paging{max: in.Max, token: in.Token, of: []string{deref(in.ARN), deref(in.MapRun), in.Status, in.Redriven}}
	limit, before, err := r.page(p)
	if err != nil {
		return nil, err
	}
	f, err := r.filter(in)
	if err != nil {
		return nil, err
	}
	f.Before, f.Limit = before, limit+1
	list, err := r.Machines.Executions(r.ctx, f)
	if err != nil {
		return nil, explain(err, deref(in.ARN))
	}
	list, next := cut(r, p, list, limit, func(x workflow.ExecutionItem) string { return x.ID })
	out := struct {
		List []executionItem `json:"executions"`
		Next *string         `json:"nextToken,omitempty"`
	}{[]executionItem{}, next}
	for _, x := range list {
		i := executionItem{ARN: workflow.ExecutionARN(x.Machine, x.Name), Machine: workflow.MachineARN(x.Machine), Name: x.Name,
			Status: string(x.Status), Started: stamp(x.StartedAt), Stopped: maybe(x.EndedAt), MapRun: deref(in.MapRun),
			Redrives: x.RedriveCount, Redriven: maybe(x.RedrivenAt)}
		i.Version, i.Alias = originARNs(x.Origin)
		out.List = append(out.List, i)
	}
	return out, nil
}

type getHistory struct {
	ARN     string  `json:"executionArn" check:"required,min=1,max=256"`
	Max     *int64  `json:"maxResults" check:"min=0,max=1000"`
	Reverse bool    `json:"reverseOrder"`
	Token   *string `json:"nextToken" check:"min=1,max=1024"`
	Data    *bool   `json:"includeExecutionData"`
}

func (r *request) getHistory(in getHistory) (any, error) {
	p := paging{max: in.Max, token: in.Token, of: []string{in.ARN, strconv.FormatBool(in.Reverse)}}
	limit, from, err := r.page(p)
	if err != nil {
		return nil, err
	}
	x, _, err := r.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	at, _ := strconv.ParseInt(from, 10, 64) // made by us; 0: from the end
	read := r.Machines.History
	if in.Reverse {
		read = r.Machines.HistoryBefore
	}
	events, err := read(r.ctx, x.ID, at, limit+1)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	events, next := cut(r, p, events, limit, func(e workflow.HistoryEvent) string { return strconv.FormatInt(e.Number, 10) })
	out := struct {
		Events []json.RawMessage `json:"events"`
		Next   *string           `json:"nextToken,omitempty"`
	}{[]json.RawMessage{}, next}
	for _, e := range events {
		details := e.Details
		if in.Data != nil && !*in.Data {
			if details, err = withoutData(details); err != nil {
				return nil, err
			}
		}
		out.Events = append(out.Events, details)
	}
	return out, nil
}

// withoutData leaves out what an event says of inputs and outputs.
func withoutData(event json.RawMessage) (json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(event, &all); err != nil {
		return nil, fmt.Errorf("sfn: a stored event is not JSON: %w", err)
	}
	for key, v := range all {
		var details map[string]json.RawMessage
		if len(v) == 0 || v[0] != '{' || json.Unmarshal(v, &details) != nil {
			continue
		}
		for _, data := range []string{"input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails"} {
			delete(details, data)
		}
		b, err := json.Marshal(details)
		if err != nil {
			return nil, err
		}
		all[key] = b
	}
	return json.Marshal(all)
}
