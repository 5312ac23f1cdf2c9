package asl_test

import "github.com/internal-app-portal/iap/asl"

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
