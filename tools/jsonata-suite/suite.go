// Package suite names the module whose tests hold the cases of JSONata's
// official test suite; asl/jsonata runs them where the module was fetched.
package suite

import _ "github.com/blues/jsonata-go"
