package sfn

import (
	"strconv"
	"time"

	"github.com/internal-app-portal/iap/workflow"
)

// stamp is a time as the protocol has it: seconds since 1970 with three
// decimals.
type stamp time.Time

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	ms := time.Time(s).UnixMilli()
	return []byte(strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)), nil
}

// maybe is a stamp that is left out when there is no time.
func maybe(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}

// noRole stands where a response must have a role and none was given.
const noRole = "arn:iap:iam:::role/portal"

type loggingConfiguration struct {
	Level        string           `json:"level,omitempty" check:"enum=ALL|ERROR|FATAL|OFF"`
	IncludeData  bool             `json:"includeExecutionData"`
	Destinations []logDestination `json:"destinations,omitempty"`
}

type logDestination struct {
	Group *logGroup `json:"cloudWatchLogsLogGroup,omitempty"`
}

type logGroup struct {
	ARN string `json:"logGroupArn,omitempty" check:"min=1,max=256"`
}

type tracingConfiguration struct {
	Enabled bool `json:"enabled"`
}

type encryptionConfiguration struct {
	Key     string `json:"kmsKeyId,omitempty" check:"min=1,max=2048"`
	Seconds *int64 `json:"kmsDataKeyReusePeriodSeconds,omitempty" check:"min=60,max=900"`
	Type    string `json:"type" check:"required,enum=AWS_OWNED_KEY|CUSTOMER_MANAGED_KMS_KEY"`
}

type tag struct {
	Key   string `json:"key" check:"min=1,max=128"`
	Value string `json:"value" check:"max=256"`
}

type route struct {
	Version string `json:"stateMachineVersionArn" check:"required,min=1,max=256"`
	Weight  int64  `json:"weight" check:"required,min=0,max=100"`
}

func (e *encryptionConfiguration) check() error {
	switch {
	case e == nil:
		return nil
	case e.Type == "CUSTOMER_MANAGED_KMS_KEY":
		return refuse("InvalidEncryptionConfiguration", "Invalid Encryption Configuration: the portal has no customer managed keys; leave it out or give AWS_OWNED_KEY.")
	case e.Key != "" || e.Seconds != nil:
		return refuse("InvalidEncryptionConfiguration", "Invalid Encryption Configuration: kmsKeyId and kmsDataKeyReusePeriodSeconds go with CUSTOMER_MANAGED_KMS_KEY alone.")
	}
	return nil
}

// logGroupPrefix begins the ARNs of the portal's log groups. The portal keeps
// histories itself, so any name will do.
const logGroupPrefix = "arn:iap:logs:::log-group:"

func (l *loggingConfiguration) check() error {
	if l == nil || (l.Level == "" || l.Level == "OFF") && len(l.Destinations) == 0 {
		return nil
	}
	if len(l.Destinations) != 1 || l.Destinations[0].Group == nil {
		return refuse("InvalidLoggingConfiguration", "Invalid Logging Configuration: Must specify exactly one Log Destination.")
	}
	if arn := l.Destinations[0].Group.ARN; len(arn) <= len(logGroupPrefix) || arn[:len(logGroupPrefix)] != logGroupPrefix {
		return refuse("InvalidLoggingConfiguration", "Invalid Logging Configuration: Log Destination not found.")
	}
	return nil
}

func workflowTags(in []tag) []workflow.Tag {
	out := make([]workflow.Tag, len(in))
	for i, t := range in {
		out[i] = workflow.Tag(t)
	}
	return out
}

// machineARN takes the ARN of a state machine, version or alias apart.
func machineARN(arn string) (workflow.ARN, error) {
	a, ok := workflow.ParseARN(arn)
	if !ok || a.Type != workflow.ARNMachine {
		return a, invalidARN(arn)
	}
	return a, nil
}

// versionARN takes the ARN of a version apart.
func versionARN(arn string) (machine string, number int64, err error) {
	a, err := machineARN(arn)
	if err != nil {
		return "", 0, err
	}
	n, ok := a.Version()
	if !ok {
		return "", 0, invalidARN(arn)
	}
	return a.Name, n, nil
}

// aliasARN takes the ARN of an alias apart.
func aliasARN(arn string) (machine, name string, err error) {
	a, err := machineARN(arn)
	if err != nil {
		return "", "", err
	}
	if _, version := a.Version(); version || a.Rest == "" {
		return "", "", invalidARN(arn)
	}
	return a.Name, a.Rest, nil
}

// plainARN takes the ARN of a state machine without version or alias apart.
func plainARN(arn string) (string, error) {
	a, err := machineARN(arn)
	if err == nil && a.Rest != "" {
		err = invalidARN(arn)
	}
	return a.Name, err
}
