package sfn

import (
	"github.com/internal-app-portal/iap/workflow"
)

type createAlias struct {
	Description string  `json:"description" check:"max=256,secret"`
	Name        string  `json:"name" check:"required,min=1,max=80,pattern=alias"`
	Routes      []route `json:"routingConfiguration" check:"required,min=1,max=2"`
}

func (r *request) createAlias(in createAlias) (any, error) {
	machine, routes, err := takeRoutes("", in.Routes)
	if err != nil {
		return nil, err
	}
	a, err := r.Machines.CreateAlias(r.ctx, workflow.Alias{Machine: machine, Name: in.Name, Description: in.Description, Routes: routes})
	if err != nil {
		return nil, explain(err, workflow.AliasARN(machine, in.Name))
	}
	return struct {
		ARN     string `json:"stateMachineAliasArn"`
		Created stamp  `json:"creationDate"`
	}{workflow.AliasARN(machine, a.Name), stamp(a.CreatedAt)}, nil
}

// takeRoutes reads the routes of an alias, which are of one state machine.
func takeRoutes(machine string, in []route) (string, []workflow.Route, error) {
	var out []workflow.Route
	for _, e := range in {
		m, n, err := versionARN(e.Version)
		if err != nil {
			return "", nil, err
		}
		if machine != "" && m != machine {
			return "", nil, &exception{Code: "ValidationException", Reason: "INVALID_ROUTING_CONFIGURATION",
				Message: "Routing configuration must contain state machine versions of the same state machine."}
		}
		machine = m
		out = append(out, workflow.Route{Version: n, Weight: int(e.Weight)})
	}
	return machine, out, nil
}

type updateAlias struct {
	ARN         string  `json:"stateMachineAliasArn" check:"required,min=1,max=256"`
	Description *string `json:"description" check:"max=256,secret"`
	Routes      []route `json:"routingConfiguration" check:"min=1,max=2"`
}

func (r *request) updateAlias(in updateAlias) (any, error) {
	machine, name, err := aliasARN(in.ARN)
	if err != nil {
		return nil, err
	}
	if in.Description == nil && in.Routes == nil {
		return nil, &exception{Code: "ValidationException", Reason: "MISSING_REQUIRED_PARAMETER",
			Message: "Either the description or the routing configuration must be specified"}
	}
	_, routes, err := takeRoutes(machine, in.Routes)
	if err != nil {
		return nil, err
	}
	a, err := r.Machines.UpdateAlias(r.ctx, machine, name, in.Description, routes)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	return struct {
		Updated stamp `json:"updateDate"`
	}{stamp(a.UpdatedAt)}, nil
}

type byAlias struct {
	ARN string `json:"stateMachineAliasArn" check:"required,min=1,max=256"`
}

func (r *request) deleteAlias(in byAlias) (any, error) {
	machine, name, err := aliasARN(in.ARN)
	if err != nil {
		return nil, err
	}
	return none{}, explain(r.Machines.DeleteAlias(r.ctx, machine, name), in.ARN)
}

func (r *request) describeAlias(in byAlias) (any, error) {
	machine, name, err := aliasARN(in.ARN)
	if err != nil {
		return nil, err
	}
	a, err := r.Machines.Alias(r.ctx, machine, name)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	out := struct {
		ARN         string  `json:"stateMachineAliasArn"`
		Name        string  `json:"name"`
		Description string  `json:"description,omitempty"`
		Routes      []route `json:"routingConfiguration"`
		Created     stamp   `json:"creationDate"`
		Updated     stamp   `json:"updateDate"`
	}{ARN: in.ARN, Name: a.Name, Description: a.Description, Created: stamp(a.CreatedAt), Updated: stamp(a.UpdatedAt)}
	for _, e := range a.Routes {
		out.Routes = append(out.Routes, route{workflow.VersionARN(machine, e.Version), int64(e.Weight)})
	}
	return out, nil
}

func (r *request) listAliases(in listOfMachine) (any, error) {
	a, err := machineARN(in.ARN)
	if err != nil {
		return nil, err
	}
	version, ok := a.Version()
	if a.Rest != "" && !ok {
		return nil, invalidARN(in.ARN)
	}
	p := paging{max: in.Max, token: in.Token, of: []string{in.ARN}}
	limit, after, err := r.page(p)
	if err != nil {
		return nil, err
	}
	if _, err := r.Machines.Machine(r.ctx, a.Name); err != nil {
		return nil, explain(err, in.ARN)
	}
	list, err := r.Machines.Aliases(r.ctx, a.Name, version, after, limit+1)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	list, next := cut(r, p, list, limit, func(a workflow.Alias) string { return a.Name })
	type item struct {
		ARN     string `json:"stateMachineAliasArn"`
		Created stamp  `json:"creationDate"`
	}
	out := struct {
		List []item  `json:"stateMachineAliases"`
		Next *string `json:"nextToken,omitempty"`
	}{[]item{}, next}
	for _, a := range list {
		out.List = append(out.List, item{workflow.AliasARN(a.Machine, a.Name), stamp(a.CreatedAt)})
	}
	return out, nil
}
