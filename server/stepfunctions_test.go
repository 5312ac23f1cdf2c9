package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/server"
)

// awsClient is AWS's client with an access key. Its names resolve to this
// machine, sync-localhost too.
func awsClient(s *server.Server, key auth.AccessKey) *awssfn.Client {
	return awssfn.New(awssfn.Options{Region: "eu-west-2", BaseEndpoint: aws.String(s.URL() + "/aws/stepfunctions"), RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: loopbackTransport()},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}, nil
		})})
}

const quick = `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":"done","End":true}}}`

// TestStepFunctions: AWS's client works with a whole portal in development mode.
func TestStepFunctions(t *testing.T) {
	s := startServer(t, testConfig(t))
	ctx := t.Context()
	c := awsClient(s, auth.DevAccessKey)
	m, err := c.CreateStateMachine(ctx, &awssfn.CreateStateMachineInput{Name: aws.String("quick"), Definition: aws.String(quick),
		RoleArn: aws.String("arn:aws:iam::1:role/x"), Type: types.StateMachineTypeExpress})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StartSyncExecution(ctx, &awssfn.StartSyncExecutionInput{StateMachineArn: m.StateMachineArn}) // to sync-localhost
	if err != nil || *out.Output != `"done"` {
		t.Errorf("started: %+v, %v", out, err)
	}
	list, err := c.ListStateMachines(ctx, &awssfn.ListStateMachinesInput{})
	if err != nil || !slices.ContainsFunc(list.StateMachines, func(m types.StateMachineListItem) bool { return *m.Name == "lifecycle" }) {
		t.Errorf("state machines: %+v, %v", list, err)
	}
}

// TestStepFunctionsOfPeople: a key is one person's, with that person's role.
func TestStepFunctionsOfPeople(t *testing.T) {
	cfg := testConfig(t)
	cfg.Dev, cfg.AppsDomain = false, "apps.localhost"
	keys, tokens := map[iap.Role]auth.AccessKey{}, map[iap.Role]auth.AccessKey{}
	for _, role := range []iap.Role{iap.Member, iap.Publisher} {
		token, sum := auth.NewToken()
		tokens[role] = auth.AccessKey{ID: token, Secret: token}
		keys[role] = auth.NewAccessKey()
		cfg.People = append(cfg.People, auth.Person{ID: string(role) + "@example.com", Role: role, TokenSHA256: sum,
			AccessKeys: []auth.AccessKey{keys[role]}})
	}
	s := startServer(t, cfg)
	list := func(key auth.AccessKey) error {
		_, err := awsClient(s, key).ListStateMachines(t.Context(), &awssfn.ListStateMachinesInput{})
		return err
	}
	for _, of := range []map[iap.Role]auth.AccessKey{keys, tokens} {
		if err := list(of[iap.Publisher]); err != nil {
			t.Error(err)
		}
		wantAWS(t, list(of[iap.Member]), "AccessDeniedException")
	}
	wantAWS(t, list(auth.AccessKey{ID: tokens[iap.Publisher].ID, Secret: tokens[iap.Member].Secret}), "InvalidSignatureException")
	wantAWS(t, list(auth.DevAccessKey), "UnrecognizedClientException")
	wantAWS(t, list(auth.AccessKey{ID: keys[iap.Publisher].ID, Secret: keys[iap.Member].Secret}), "InvalidSignatureException")
}

func wantAWS(t *testing.T, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// TestStepFunctionsHosts: the protocol answers on the portal's hosts alone, and
// nothing else does on sync-HOST.
func TestStepFunctionsHosts(t *testing.T) {
	s := startServer(t, testConfig(t))
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]map[string]int{
		u.Host:                            {"/aws/stepfunctions": http.StatusForbidden, "/aws/stepfunctions/": http.StatusForbidden, "/aws/stepfunctions/x": http.StatusNotFound},
		"sync-" + u.Host:                  {"/aws/stepfunctions": http.StatusForbidden, "/": http.StatusMisdirectedRequest, "/api/v1/apps": http.StatusMisdirectedRequest},
		"sync-evil.example.com":           {"/aws/stepfunctions": http.StatusMisdirectedRequest},
		"evil.example.com:" + u.Port():    {"/aws/stepfunctions": http.StatusMisdirectedRequest},
		"sync-sync-localhost:" + u.Port(): {"/aws/stepfunctions": http.StatusMisdirectedRequest},
	} {
		for path, status := range want {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:"+u.Port()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := resp.Header.Get("Content-Type"); status != http.StatusMisdirectedRequest && got != "application/x-amz-json-1.0" {
				t.Errorf("%s%s answers with %s", host, path, got)
			}
			if resp.StatusCode != status {
				t.Errorf("%s%s: %d, want %d", host, path, resp.StatusCode, status)
			}
		}
	}
}
