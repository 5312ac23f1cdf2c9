//go:build !aws

package broker

import "gocloud.dev/pubsub"

// withAWS does nothing: AWS's SDK would make each process of the program, of which
// every job is one, 8 MB larger on disk, 9 MB in memory and 10 ms later.
func withAWS(*pubsub.URLMux) {}
