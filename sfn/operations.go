package sfn

import (
	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/value"
)

// operation is one action of the API.
type operation struct {
	role iap.Role // who may do it at least
	run  func(r *request, in *value.Object) (any, error)
}

func (o operation) allows(who iap.Actor) bool { return who.Role.Includes(o.role) }

// action makes an operation of a method that takes a decoded request.
func action[I any](role iap.Role, fn func(r *request, in I) (any, error)) operation {
	return operation{role: role, run: func(r *request, o *value.Object) (any, error) {
		var in I
		if err := decode(o, &in, r.PayloadBytes); err != nil {
			return nil, err
		}
		return fn(r, in)
	}}
}

// none is the answer of actions that answer nothing.
type none struct{}

// operations are the actions of the API of 2016-11-23, all of them.
func operations() map[string]operation {
	const who = iap.Publisher
	return map[string]operation{
		"CreateStateMachine":               action(who, (*request).createStateMachine),
		"UpdateStateMachine":               action(who, (*request).updateStateMachine),
		"DeleteStateMachine":               action(who, (*request).deleteStateMachine),
		"DescribeStateMachine":             action(who, (*request).describeStateMachine),
		"ListStateMachines":                action(who, (*request).listStateMachines),
		"ValidateStateMachineDefinition":   action(who, (*request).validateDefinition),
		"TestState":                        {role: who, run: (*request).testState},
		"PublishStateMachineVersion":       action(who, (*request).publishVersion),
		"DeleteStateMachineVersion":        action(who, (*request).deleteVersion),
		"ListStateMachineVersions":         action(who, (*request).listVersions),
		"CreateStateMachineAlias":          action(who, (*request).createAlias),
		"UpdateStateMachineAlias":          action(who, (*request).updateAlias),
		"DeleteStateMachineAlias":          action(who, (*request).deleteAlias),
		"DescribeStateMachineAlias":        action(who, (*request).describeAlias),
		"ListStateMachineAliases":          action(who, (*request).listAliases),
		"TagResource":                      action(who, (*request).tagResource),
		"UntagResource":                    action(who, (*request).untagResource),
		"ListTagsForResource":              action(who, (*request).listTags),
		"CreateActivity":                   action(who, (*request).createActivity),
		"DeleteActivity":                   action(who, (*request).deleteActivity),
		"DescribeActivity":                 action(who, (*request).describeActivity),
		"ListActivities":                   action(who, (*request).listActivities),
		"GetActivityTask":                  action(who, (*request).getActivityTask),
		"SendTaskSuccess":                  action(iap.Member, (*request).sendTaskSuccess),
		"SendTaskFailure":                  action(iap.Member, (*request).sendTaskFailure),
		"SendTaskHeartbeat":                action(iap.Member, (*request).sendTaskHeartbeat),
		"StartExecution":                   action(who, (*request).startExecution),
		"StartSyncExecution":               action(who, (*request).startSyncExecution),
		"StopExecution":                    action(who, (*request).stopExecution),
		"RedriveExecution":                 action(who, (*request).redriveExecution),
		"DescribeExecution":                action(who, (*request).describeExecution),
		"DescribeStateMachineForExecution": action(who, (*request).describeForExecution),
		"ListExecutions":                   action(who, (*request).listExecutions),
		"GetExecutionHistory":              action(who, (*request).getHistory),
		"DescribeMapRun":                   action(who, (*request).describeMapRun),
		"ListMapRuns":                      action(who, (*request).listMapRuns),
		"UpdateMapRun":                     action(who, (*request).updateMapRun),
	}
}
