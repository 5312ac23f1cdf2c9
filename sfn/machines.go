package sfn

import (
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

type createStateMachine struct {
	Name        string                   `json:"name" check:"required,min=1,max=80"`
	Definition  string                   `json:"definition" check:"required,min=1,max=1048576,secret"`
	Role        string                   `json:"roleArn" check:"required,min=1,max=256"`
	Type        string                   `json:"type" check:"enum=STANDARD|EXPRESS"`
	Logging     *loggingConfiguration    `json:"loggingConfiguration"`
	Tags        []tag                    `json:"tags"`
	Tracing     *tracingConfiguration    `json:"tracingConfiguration"`
	Publish     bool                     `json:"publish"`
	Description *string                  `json:"versionDescription" check:"max=256,secret"`
	Encryption  *encryptionConfiguration `json:"encryptionConfiguration"`
}

// check is what can be said of a request without knowing what there is.
func (in createStateMachine) check() error {
	if !workflow.ValidName(in.Name) {
		return refuse("InvalidName", "Invalid Name: '%s'", in.Name)
	}
	if in.Description != nil && !in.Publish {
		return invalid("Version description can only be set when publish is true")
	}
	if err := checkRole(in.Role); err != nil {
		return err
	}
	if err := in.Logging.check(); err != nil {
		return err
	}
	if err := in.Encryption.check(); err != nil {
		return err
	}
	return explain(workflow.CheckDefinition([]byte(in.Definition), orStandard(in.Type)), in.Name)
}

// checkRole takes any ARN: the portal assumes no roles.
func checkRole(arn string) error {
	if len(arn) < 4 || arn[:4] != "arn:" {
		return refuse("InvalidArn", "Invalid Role Arn: '%s'", arn)
	}
	return nil
}

func orStandard(typ string) string {
	if typ == "" {
		return workflow.Standard
	}
	return typ
}

func (r *request) createStateMachine(in createStateMachine) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	n := workflow.NewMachine{Name: in.Name, Type: in.Type, Definition: []byte(in.Definition), Tags: workflowTags(in.Tags),
		Publish: in.Publish, Description: deref(in.Description)}
	n.Role, n.Logging, n.Tracing, n.Encryption = in.Role, raw(in.Logging), raw(in.Tracing), raw(in.Encryption)
	m, version, err := r.Machines.Create(r.ctx, n)
	if err != nil {
		return nil, explain(err, workflow.MachineARN(in.Name))
	}
	return struct {
		ARN     string `json:"stateMachineArn"`
		Created stamp  `json:"creationDate"`
		Version string `json:"stateMachineVersionArn,omitempty"`
	}{workflow.MachineARN(m.Name), stamp(m.CreatedAt), versionOrNone(m.Name, version, in.Publish)}, nil
}

func versionOrNone(machine string, version int64, published bool) string {
	if version == 0 || !published {
		return ""
	}
	return workflow.VersionARN(machine, version)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

type updateStateMachine struct {
	ARN         string                   `json:"stateMachineArn" check:"required,min=1,max=256"`
	Definition  *string                  `json:"definition" check:"min=1,max=1048576,secret"`
	Role        *string                  `json:"roleArn" check:"min=1,max=256"`
	Logging     *loggingConfiguration    `json:"loggingConfiguration"`
	Tracing     *tracingConfiguration    `json:"tracingConfiguration"`
	Publish     bool                     `json:"publish"`
	Description *string                  `json:"versionDescription" check:"max=256,secret"`
	Encryption  *encryptionConfiguration `json:"encryptionConfiguration"`
}

func (in updateStateMachine) check() error {
	if in.Definition == nil && in.Role == nil && in.Logging == nil && in.Tracing == nil && in.Encryption == nil {
		return refuse("MissingRequiredParameter", "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified")
	}
	if in.Description != nil && !in.Publish {
		return invalid("Version description can only be set when publish is true")
	}
	if in.Role != nil {
		if err := checkRole(*in.Role); err != nil {
			return err
		}
	}
	if err := in.Logging.check(); err != nil {
		return err
	}
	return in.Encryption.check()
}

// alone checks the definition too, for a state machine of unknown type: what no
// Standard one may have, no Express one may either.
func (in updateStateMachine) alone() error {
	if err := in.check(); err != nil || in.Definition == nil {
		return err
	}
	return explain(workflow.CheckDefinition([]byte(*in.Definition), workflow.Standard), in.ARN)
}

func (r *request) updateStateMachine(in updateStateMachine) (any, error) {
	name, err := plainARN(in.ARN)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	c := workflow.MachineChange{Role: in.Role, Logging: raw(in.Logging), Tracing: raw(in.Tracing), Encryption: raw(in.Encryption),
		Publish: in.Publish, Description: deref(in.Description)}
	if in.Definition != nil {
		c.Definition = []byte(*in.Definition)
	}
	m, version, err := r.Machines.Update(r.ctx, name, c)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	return struct {
		Updated  stamp  `json:"updateDate"`
		Revision string `json:"revisionId"`
		Version  string `json:"stateMachineVersionArn,omitempty"`
	}{stamp(m.UpdatedAt), m.Revision, versionOrNone(name, version, in.Publish)}, nil
}

type byStateMachine struct {
	ARN string `json:"stateMachineArn" check:"required,min=1,max=256"`
}

func (r *request) deleteStateMachine(in byStateMachine) (any, error) {
	name, err := plainARN(in.ARN)
	if err != nil {
		return nil, err
	}
	return none{}, explain(r.Machines.Delete(r.ctx, name), in.ARN)
}

type describeStateMachine struct {
	ARN      string `json:"stateMachineArn" check:"required,min=1,max=256"`
	Included string `json:"includedData" check:"enum=ALL_DATA|METADATA_ONLY"`
}

// description is what is told of a state machine or a version.
type description struct {
	ARN         string          `json:"stateMachineArn"`
	Name        string          `json:"name"`
	Status      string          `json:"status,omitempty"`
	Definition  string          `json:"definition"`
	Role        string          `json:"roleArn"`
	Type        string          `json:"type,omitempty"`
	Created     *stamp          `json:"creationDate,omitempty"`
	Updated     *stamp          `json:"updateDate,omitempty"`
	Logging     json.RawMessage `json:"loggingConfiguration"`
	Tracing     json.RawMessage `json:"tracingConfiguration"`
	Encryption  json.RawMessage `json:"encryptionConfiguration,omitempty"`
	Revision    string          `json:"revisionId,omitempty"`
	Description string          `json:"description,omitempty"`
	MapRun      string          `json:"mapRunArn,omitempty"`
	Label       string          `json:"label,omitempty"`
}

func (d *description) set(s workflow.MachineSettings) {
	d.Role, d.Logging, d.Tracing, d.Encryption = s.Role, s.Logging, s.Tracing, s.Encryption
	if d.Role == "" {
		d.Role = noRole
	}
	if d.Logging == nil {
		d.Logging = json.RawMessage(`{"level":"OFF","includeExecutionData":false}`)
	}
	if d.Tracing == nil {
		d.Tracing = json.RawMessage(`{"enabled":false}`)
	}
}

func (r *request) describeStateMachine(in describeStateMachine) (any, error) {
	a, err := machineARN(in.ARN)
	if err != nil {
		return nil, err
	}
	m, err := r.Machines.Machine(r.ctx, a.Name)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	d := description{ARN: in.ARN, Name: m.Name, Status: m.Status, Type: m.Type, Created: maybe(m.CreatedAt), Revision: m.Revision}
	settings := m.MachineSettings
	if a.Rest != "" {
		v, err := r.versionOf(a)
		if err != nil {
			return nil, explain(err, in.ARN)
		}
		settings = v.MachineSettings
		d.ARN, d.Created, d.Revision, d.Description = workflow.VersionARN(m.Name, v.Number), maybe(v.CreatedAt), v.Revision, v.Description
	}
	d.set(settings)
	return r.withDefinition(d, settings.Definition, in.Included)
}

func (r *request) withDefinition(d description, id, included string) (any, error) {
	if included == "METADATA_ONLY" {
		return d, nil
	}
	text, err := r.Machines.Definition(r.ctx, id)
	d.Definition = string(text)
	return d, explain(err, d.ARN)
}

// versionOf is the version of an ARN; of an alias, that with more weight.
func (r *request) versionOf(a workflow.ARN) (workflow.Version, error) {
	n, ok := a.Version()
	if !ok {
		alias, err := r.Machines.Alias(r.ctx, a.Name, a.Rest)
		if err != nil {
			return workflow.Version{}, refuse("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", workflow.AliasARN(a.Name, a.Rest))
		}
		n = alias.Routes[0].Version
		if len(alias.Routes) > 1 && alias.Routes[1].Weight > alias.Routes[0].Weight {
			n = alias.Routes[1].Version
		}
	}
	return r.Machines.Version(r.ctx, a.Name, n)
}

type listing struct {
	Max   *int64  `json:"maxResults" check:"min=0,max=1000"`
	Token *string `json:"nextToken" check:"min=1,max=1024"`
}

func (r *request) listStateMachines(in listing) (any, error) {
	p := paging{max: in.Max, token: in.Token}
	limit, after, err := r.page(p)
	if err != nil {
		return nil, err
	}
	list, err := r.Machines.List(r.ctx, after, limit+1)
	if err != nil {
		return nil, explain(err, "")
	}
	list, next := cut(r, p, list, limit, func(m workflow.Machine) string { return m.Name })
	type item struct {
		ARN     string `json:"stateMachineArn"`
		Name    string `json:"name"`
		Type    string `json:"type"`
		Created stamp  `json:"creationDate"`
	}
	out := struct {
		List []item  `json:"stateMachines"`
		Next *string `json:"nextToken,omitempty"`
	}{[]item{}, next}
	for _, m := range list {
		out.List = append(out.List, item{workflow.MachineARN(m.Name), m.Name, m.Type, stamp(m.CreatedAt)})
	}
	return out, nil
}

// visible refuses the executions of the portal's own state machines to all but
// admins: they tell of other people's instances.
func (r *request) visible(machine, arn string) error {
	if r.who.Role.Includes(iap.Admin) {
		return nil
	}
	m, err := r.Machines.Machine(r.ctx, machine)
	if err == nil && m.ReadOnly {
		return refuse("AccessDeniedException", "User: %s is not authorized to perform: states:%s on resource: %s", r.who.ID, r.operation, arn)
	}
	return nil
}
