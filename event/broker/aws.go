//go:build aws

package broker

import (
	"gocloud.dev/pubsub"
	"gocloud.dev/pubsub/awssnssqs"
)

// withAWS has SQS and SNS be opened.
func withAWS(mux *pubsub.URLMux) {
	aws := new(awssnssqs.URLOpener)
	mux.RegisterTopic(awssnssqs.SQSScheme, aws)
	mux.RegisterTopic(awssnssqs.SNSScheme, aws)
	mux.RegisterSubscription(awssnssqs.SQSScheme, aws)
}
