package asl_test

import (
	"os"
	"path/filepath"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// conformanceDir looks for the cases where IAP_CONFORMANCE says, or beside the
// project. The executions among them are run by the tests of workflow/cases.
func conformanceDir() string {
	dir := os.Getenv("IAP_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// unsupported names the first feature that is refused for now.
func unsupported(problems []asl.Problem) string {
	for _, p := range problems {
		if p.Code == asl.CodeNotSupported {
			return p.Message
		}
	}
	return ""
}

func field(o *value.Object, key string) value.Value {
	v, _ := o.Get(key)
	return v
}

func describe(c *asl.Complete) string {
	s := ""
	if c.Error != nil {
		s += *c.Error
	}
	if c.Cause != nil {
		s += ": " + *c.Cause
	}
	return s
}
