package asl

import "strings"

// Resource is a task's Resource, taken apart.
type Resource struct {
	ARN string
	// Service and API are "job" and "apply" in arn:iap:states:::job:apply.sync;
	// "lambda" and "" for a function's own ARN, "activity" and "" for an activity.
	// A service of the SDK integrations is "aws-sdk:s3".
	Service string
	API     string
	// Suffix is "", ".sync", ".sync:2" or ".waitForTaskToken".
	Suffix      string
	Integration Integration
	// Region and Account are the ARN's; both are empty in service integrations.
	Region, Account string
}

// ParseResource takes an ARN apart; ok is false when it is not one.
func ParseResource(arn string) (r Resource, ok bool) {
	r = Resource{ARN: arn, Integration: RequestResponse}
	p := strings.SplitN(arn, ":", 6)
	if len(p) < 6 || p[0] != "arn" || p[5] == "" {
		return r, false
	}
	r.Region, r.Account = p[3], p[4]
	rest := p[5]
	switch {
	case p[2] == "lambda":
		r.Service = "lambda"
		return r, isFunction(rest)
	case p[2] == "swf":
		r.Service = "swf"
		return r, strings.HasPrefix(rest, "task:")
	case p[2] != "states":
		return r, false
	case strings.HasPrefix(rest, "activity:"):
		r.Service = "activity"
		return r, true
	}
	return r, r.integration(rest)
}

// isFunction checks "function:NAME" and "function:NAME:ALIAS".
func isFunction(rest string) bool {
	p := strings.Split(rest, ":")
	if p[0] != "function" || len(p) < 2 || len(p) > 3 || p[1] == "" {
		return false
	}
	if len(p) == 2 || p[2] == "$LATEST" {
		return true
	}
	for _, r := range p[2] {
		if r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return p[2] != ""
}

// isResource tells whether a text may stand as Resource: an ARN that is known,
// another URI, which is left to whoever runs the task, or a ${placeholder}.
func isResource(s string, known bool) bool {
	if known || strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}") {
		return true
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || scheme == "arn" || rest == "" {
		return false
	}
	for _, r := range scheme {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '+' && r != '-' && r != '.' && (r < '0' || r > '9') {
			return false
		}
	}
	return !strings.ContainsAny(rest, " \t\n\r")
}

// integration parses "service:api.suffix" or "aws-sdk:service:api.suffix".
func (r *Resource) integration(rest string) bool {
	for suffix, kind := range map[string]Integration{
		".sync": Sync, ".sync:2": Sync, ".waitForTaskToken": WaitForTaskToken,
	} {
		if strings.HasSuffix(rest, suffix) {
			r.Suffix, r.Integration = suffix, kind
			rest = strings.TrimSuffix(rest, suffix)
			break
		}
	}
	i := strings.LastIndexByte(rest, ':')
	if i <= 0 || i == len(rest)-1 {
		return false
	}
	r.Service, r.API = rest[:i], rest[i+1:]
	return true
}

// IsLambda tells whether the resource is a function's own ARN.
func (r Resource) IsLambda() bool { return r.Service == "lambda" && r.API == "" }

// IsActivity tells whether the resource is an activity.
func (r Resource) IsActivity() bool { return r.Service == "activity" && r.API == "" }
