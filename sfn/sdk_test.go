package sfn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	iap "github.com/internal-app-portal/iap"
)

func TestMachineLifecycle(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	arn := h.create("orders", passes)
	if arn != "arn:iap:states:::stateMachine:orders" {
		t.Errorf("ARN %s", arn)
	}
	if again := h.create("orders", passes); again != arn {
		t.Errorf("created again: %s", again)
	}
	_, err := h.CreateStateMachine(ctx, &awssfn.CreateStateMachineInput{Name: aws.String("orders"), Definition: aws.String(passes + " "), RoleArn: aws.String(role)})
	wantCode(t, err, "StateMachineAlreadyExists")

	d := must[*awssfn.DescribeStateMachineOutput](t)(h.DescribeStateMachine(ctx, &awssfn.DescribeStateMachineInput{StateMachineArn: &arn}))
	if *d.Definition != passes || d.Status != "ACTIVE" || d.Type != "STANDARD" || *d.RoleArn != role || d.RevisionId != nil {
		t.Errorf("described as %+v", d)
	}
	u := must[*awssfn.UpdateStateMachineOutput](t)(h.UpdateStateMachine(ctx, &awssfn.UpdateStateMachineInput{StateMachineArn: &arn, Definition: aws.String(waits), Publish: true, VersionDescription: aws.String("waits")}))
	if *u.StateMachineVersionArn != arn+":1" || *u.RevisionId == "" {
		t.Errorf("updated: %+v", u)
	}
	x := must[*awssfn.StartExecutionOutput](t)(h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("one")}))
	must[*awssfn.DeleteStateMachineOutput](t)(h.DeleteStateMachine(ctx, &awssfn.DeleteStateMachineInput{StateMachineArn: &arn}))
	d = must[*awssfn.DescribeStateMachineOutput](t)(h.DescribeStateMachine(ctx, &awssfn.DescribeStateMachineInput{StateMachineArn: &arn}))
	if d.Status != "DELETING" {
		t.Errorf("while an execution runs: %s", d.Status)
	}
	_, err = h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &arn})
	wantCode(t, err, "StateMachineDeleting")
	must[*awssfn.StopExecutionOutput](t)(h.StopExecution(ctx, &awssfn.StopExecutionInput{ExecutionArn: x.ExecutionArn, Error: aws.String("E"), Cause: aws.String("C")}))
	_, err = h.DescribeStateMachine(ctx, &awssfn.DescribeStateMachineInput{StateMachineArn: &arn})
	wantCode(t, err, "StateMachineDoesNotExist")
	if e := h.ended(*x.ExecutionArn); e.Status != "ABORTED" || *e.Error != "E" || *e.Cause != "C" {
		t.Errorf("stopped: %+v", e)
	}
}

func TestVersionsAndAliases(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	arn := h.create("orders", passes)
	publish := func() string {
		return *must[*awssfn.PublishStateMachineVersionOutput](t)(h.PublishStateMachineVersion(ctx, &awssfn.PublishStateMachineVersionInput{StateMachineArn: &arn})).StateMachineVersionArn
	}
	v1 := publish()
	if v1 != arn+":1" || publish() != v1 {
		t.Errorf("version 1 is %s", v1)
	}
	_, err := h.PublishStateMachineVersion(ctx, &awssfn.PublishStateMachineVersionInput{StateMachineArn: &arn, RevisionId: aws.String("other")})
	wantCode(t, err, "ConflictException")
	must[*awssfn.UpdateStateMachineOutput](t)(h.UpdateStateMachine(ctx, &awssfn.UpdateStateMachineInput{StateMachineArn: &arn, Definition: aws.String(strings.Replace(passes, "1", "2", 1))}))
	v2 := publish()
	routes := func(a, b int32) []types.RoutingConfigurationListItem {
		return []types.RoutingConfigurationListItem{{StateMachineVersionArn: &v1, Weight: a}, {StateMachineVersionArn: &v2, Weight: b}}
	}
	_, err = h.CreateStateMachineAlias(ctx, &awssfn.CreateStateMachineAliasInput{Name: aws.String("live"), RoutingConfiguration: routes(50, 40)})
	wantCode(t, err, "ValidationException")
	alias := *must[*awssfn.CreateStateMachineAliasOutput](t)(h.CreateStateMachineAlias(ctx, &awssfn.CreateStateMachineAliasInput{Name: aws.String("live"), RoutingConfiguration: routes(100, 0)})).StateMachineAliasArn
	run := func(target string) *awssfn.DescribeExecutionOutput {
		x := must[*awssfn.StartExecutionOutput](t)(h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &target}))
		return h.ended(*x.ExecutionArn)
	}
	if d := run(alias); *d.Output != `{"a":1}` || *d.StateMachineVersionArn != v1 || *d.StateMachineAliasArn != alias {
		t.Errorf("by the alias: %+v", d)
	}
	must[*awssfn.UpdateStateMachineAliasOutput](t)(h.UpdateStateMachineAlias(ctx, &awssfn.UpdateStateMachineAliasInput{StateMachineAliasArn: &alias, RoutingConfiguration: routes(0, 100)}))
	if d := run(alias); *d.Output != `{"a":2}` || *d.StateMachineVersionArn != v2 {
		t.Errorf("by the alias, changed: %+v", d)
	}
	if d := run(v1); *d.Output != `{"a":1}` || d.StateMachineAliasArn != nil {
		t.Errorf("by the version: %+v", d)
	}
	l := must[*awssfn.ListExecutionsOutput](t)(h.ListExecutions(ctx, &awssfn.ListExecutionsInput{StateMachineArn: &alias}))
	if len(l.Executions) != 2 {
		t.Errorf("%d executions of the alias", len(l.Executions))
	}
	_, err = h.DeleteStateMachineVersion(ctx, &awssfn.DeleteStateMachineVersionInput{StateMachineVersionArn: &v2})
	wantCode(t, err, "ConflictException")
	must[*awssfn.DeleteStateMachineAliasOutput](t)(h.DeleteStateMachineAlias(ctx, &awssfn.DeleteStateMachineAliasInput{StateMachineAliasArn: &alias}))
	_, err = h.DescribeStateMachineAlias(ctx, &awssfn.DescribeStateMachineAliasInput{StateMachineAliasArn: &alias})
	wantCode(t, err, "ResourceNotFound")
	must[*awssfn.DeleteStateMachineVersionOutput](t)(h.DeleteStateMachineVersion(ctx, &awssfn.DeleteStateMachineVersionInput{StateMachineVersionArn: &v2}))
	versions := must[*awssfn.ListStateMachineVersionsOutput](t)(h.ListStateMachineVersions(ctx, &awssfn.ListStateMachineVersionsInput{StateMachineArn: &arn}))
	if len(versions.StateMachineVersions) != 1 || *versions.StateMachineVersions[0].StateMachineVersionArn != v1 {
		t.Errorf("versions left: %+v", versions.StateMachineVersions)
	}
}

func TestStartIsIdempotent(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	arn := h.create("orders", waits)
	start := func(input string) (*awssfn.StartExecutionOutput, error) {
		return h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String("one"), Input: &input})
	}
	x := must[*awssfn.StartExecutionOutput](t)(start(`{"a": 1}`))
	again := must[*awssfn.StartExecutionOutput](t)(start(`{"a":1}`))
	if *again.ExecutionArn != *x.ExecutionArn || !again.StartDate.Equal(*x.StartDate) {
		t.Errorf("again: %+v", again)
	}
	_, err := start(`{"a":2}`)
	wantCode(t, err, "ExecutionAlreadyExists")
	_, err = start(`{"a":`)
	wantCode(t, err, "InvalidExecutionInput")
	must[*awssfn.StopExecutionOutput](t)(h.StopExecution(ctx, &awssfn.StopExecutionInput{ExecutionArn: x.ExecutionArn}))
	_, err = start(`{"a":1}`)
	wantCode(t, err, "ExecutionAlreadyExists")
}

func TestHistoryIsPaged(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	arn := h.create("orders", passes)
	x := must[*awssfn.StartExecutionOutput](t)(h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &arn, Input: aws.String(`{"in":1}`)}))
	h.ended(*x.ExecutionArn)
	read := func(reverse bool) string {
		var ids []string
		in := &awssfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn, MaxResults: 3, ReverseOrder: reverse}
		for p := awssfn.NewGetExecutionHistoryPaginator(h.Client, in); p.HasMorePages(); {
			for _, e := range must[*awssfn.GetExecutionHistoryOutput](t)(p.NextPage(ctx)).Events {
				ids = append(ids, fmt.Sprintf("%d %s", e.Id, e.Type))
			}
		}
		return strings.Join(ids, ", ")
	}
	want := "1 ExecutionStarted, 2 PassStateEntered, 3 PassStateExited, 4 ExecutionSucceeded"
	if got := read(false); got != want {
		t.Errorf("got %s", got)
	}
	if got := read(true); got != "4 ExecutionSucceeded, 3 PassStateExited, 2 PassStateEntered, 1 ExecutionStarted" {
		t.Errorf("reversed: %s", got)
	}
	e := must[*awssfn.GetExecutionHistoryOutput](t)(h.GetExecutionHistory(ctx, &awssfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn})).Events[0]
	if *e.ExecutionStartedEventDetails.Input != `{"in":1}` || e.Timestamp.IsZero() {
		t.Errorf("the first event: %+v", e)
	}
	e = must[*awssfn.GetExecutionHistoryOutput](t)(h.GetExecutionHistory(ctx, &awssfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn, IncludeExecutionData: aws.Bool(false)})).Events[0]
	if e.ExecutionStartedEventDetails.Input != nil {
		t.Errorf("without data: %+v", e.ExecutionStartedEventDetails)
	}
	_, err := h.GetExecutionHistory(ctx, &awssfn.GetExecutionHistoryInput{ExecutionArn: x.ExecutionArn, NextToken: aws.String("made-up")})
	wantCode(t, err, "InvalidToken")
}

func TestListsArePaged(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	for i := range 5 {
		h.create(fmt.Sprintf("m%d", i), passes)
	}
	arn := h.create("waiting", waits)
	for i := range 5 {
		must[*awssfn.StartExecutionOutput](t)(h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &arn, Name: aws.String(fmt.Sprintf("x%d", i))}))
	}
	var names []string
	for p := awssfn.NewListStateMachinesPaginator(h.Client, &awssfn.ListStateMachinesInput{MaxResults: 4}); p.HasMorePages(); {
		for _, m := range must[*awssfn.ListStateMachinesOutput](t)(p.NextPage(ctx)).StateMachines {
			names = append(names, *m.Name)
		}
	}
	if got := strings.Join(names, " "); got != "m0 m1 m2 m3 m4 waiting" {
		t.Errorf("state machines: %s", got)
	}
	stop := "arn:iap:states:::execution:waiting:x3"
	must[*awssfn.StopExecutionOutput](t)(h.StopExecution(ctx, &awssfn.StopExecutionInput{ExecutionArn: &stop}))
	names = nil
	in := &awssfn.ListExecutionsInput{StateMachineArn: &arn, MaxResults: 3, StatusFilter: types.ExecutionStatusRunning}
	for p := awssfn.NewListExecutionsPaginator(h.Client, in); p.HasMorePages(); {
		for _, x := range must[*awssfn.ListExecutionsOutput](t)(p.NextPage(ctx)).Executions {
			names = append(names, *x.Name)
		}
	}
	if len(names) != 4 || strings.Contains(strings.Join(names, " "), "x3") {
		t.Errorf("running: %v", names)
	}
	_, err := h.ListExecutions(ctx, &awssfn.ListExecutionsInput{})
	wantCode(t, err, "ValidationException")
}

func TestTags(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	arn := h.create("orders", passes)
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	must[*awssfn.TagResourceOutput](t)(h.TagResource(ctx, &awssfn.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{tag("team", "a"), tag("env", "dev")}}))
	must[*awssfn.UntagResourceOutput](t)(h.UntagResource(ctx, &awssfn.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"env"}}))
	l := must[*awssfn.ListTagsForResourceOutput](t)(h.ListTagsForResource(ctx, &awssfn.ListTagsForResourceInput{ResourceArn: &arn}))
	if len(l.Tags) != 1 || *l.Tags[0].Key != "team" {
		t.Errorf("tags: %+v", l.Tags)
	}
	var many []types.Tag
	for i := range 51 {
		many = append(many, tag(fmt.Sprint(i), ""))
	}
	_, err := h.TagResource(ctx, &awssfn.TagResourceInput{ResourceArn: &arn, Tags: many})
	wantCode(t, err, "TooManyTags")
	_, err = h.ListTagsForResource(ctx, &awssfn.ListTagsForResourceInput{ResourceArn: aws.String(arn + "x")})
	wantCode(t, err, "ResourceNotFound")
}

// TestRoles: publishers run state machines, but not the portal's own; members
// only answer tasks.
func TestRoles(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	if err := h.machines.PutReadOnly(ctx, "lifecycle", []byte(waits)); err != nil {
		t.Fatal(err)
	}
	own := "arn:iap:states:::stateMachine:lifecycle"
	if _, err := h.as(iap.Publisher).DescribeStateMachine(ctx, &awssfn.DescribeStateMachineInput{StateMachineArn: &own}); err != nil {
		t.Error(err)
	}
	_, err := h.as(iap.Publisher).ListExecutions(ctx, &awssfn.ListExecutionsInput{StateMachineArn: &own})
	wantCode(t, err, "AccessDeniedException")
	_, err = h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &own})
	wantCode(t, err, "AccessDeniedException")
	_, err = h.DeleteStateMachine(ctx, &awssfn.DeleteStateMachineInput{StateMachineArn: &own})
	wantCode(t, err, "AccessDeniedException")
	_, err = h.as(iap.Member).ListStateMachines(ctx, &awssfn.ListStateMachinesInput{})
	wantCode(t, err, "AccessDeniedException")
	_, err = h.as(iap.Member).SendTaskHeartbeat(ctx, &awssfn.SendTaskHeartbeatInput{TaskToken: aws.String("none")})
	wantCode(t, err, "InvalidToken")
	_, err = h.as("stranger").ListStateMachines(ctx, &awssfn.ListStateMachinesInput{})
	wantCode(t, err, "UnrecognizedClientException")
}
