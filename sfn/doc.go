// Package sfn speaks AWS's wire protocol of Step Functions (AWS JSON 1.0), so
// that AWS's own clients work with the portal: the SDKs, the aws command line,
// Terraform. All actions of the API of 2016-11-23 are there
// (https://docs.aws.amazon.com/step-functions/latest/apireference/).
//
// A request is a POST to Prefix with the action in X-Amz-Target, signed with
// Signature Version 4 by an access key of a person (package auth). What is
// answered, and the exceptions with their messages, are as on AWS; ARNs begin
// with arn:iap:states::: instead.
//
// Who may do what: admins everything; publishers, who put things into the
// portal anyway, all but what concerns the portal's own state machines, such as
// the lifecycle of instances, whose executions tell of other people; members
// may answer tasks whose token they hold. The portal's own state machines can
// be looked at alone.
package sfn
