package asl

import (
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// shapes are the results of service integrations, so far as a mock of them is
// checked. A shape is s (string), n (number), b (boolean), x (binary data, as a
// string that is not empty), A|B (one of these strings), [shape], {name:shape …},
// o (an object) or * (anything); a ! after a name demands it. The names are those of AWS's
// API references.
var shapes = map[string]string{
	"lambda:invoke":              "{StatusCode:n FunctionError:s LogResult:s Payload:* ExecutedVersion:s}",
	"states:startExecution":      "{ExecutionArn!:s StartDate!:s}",
	"states:startSyncExecution":  "{ExecutionArn!:s StateMachineArn:s Name:s StartDate!:s StopDate!:s Status!:SUCCEEDED|FAILED|TIMED_OUT Error:s Cause:s Input:s Output:s}",
	"states:describeExecution":   "{ExecutionArn!:s StateMachineArn!:s Name:s Status!:RUNNING|SUCCEEDED|FAILED|TIMED_OUT|ABORTED|PENDING_REDRIVE StartDate!:s StopDate:s Input:s Output:s Error:s Cause:s}",
	"states:startExecution.sync": "{ExecutionArn!:s StateMachineArn!:s Name:s Status!:RUNNING|SUCCEEDED|FAILED|TIMED_OUT|ABORTED|PENDING_REDRIVE StartDate!:* StopDate:* Input:* Output:* Error:s Cause:s}",
	"events:putEvents":           "{FailedEntryCount:n Entries:[{EventId:s ErrorCode:s ErrorMessage:s}]}",
	"sqs:sendMessage":            "{MD5OfMessageBody:s MD5OfMessageAttributes:s MD5OfMessageSystemAttributes:s MessageId:s SequenceNumber:s}",
	"sqs:receiveMessage":         "{Messages:[{MessageId:s ReceiptHandle:s MD5OfBody:s Body:s Attributes:o MessageAttributes:o}]}",
	"sns:publish":                "{MessageId:s SequenceNumber:s}",
	"dynamodb:getItem":           "{Item:o ConsumedCapacity:" + consumedCapacity + "}",
	"dynamodb:putItem":           "{Attributes:o ConsumedCapacity:" + consumedCapacity + " ItemCollectionMetrics:o}",
	"dynamodb:updateItem":        "{Attributes:o ConsumedCapacity:" + consumedCapacity + " ItemCollectionMetrics:o}",
	"dynamodb:deleteItem":        "{Attributes:o ConsumedCapacity:" + consumedCapacity + " ItemCollectionMetrics:o}",
	"dynamodb:query":             "{Items:[o] Count:n ScannedCount:n LastEvaluatedKey:o ConsumedCapacity:" + consumedCapacity + "}",
	"dynamodb:scan":              "{Items:[o] Count:n ScannedCount:n LastEvaluatedKey:o ConsumedCapacity:" + consumedCapacity + "}",
	"s3:getObject": "{AcceptRanges:s Body:* BucketKeyEnabled:b CacheControl:s ContentDisposition:s ContentEncoding:s ContentLanguage:s " +
		"ContentLength:n ContentRange:s ContentType:s DeleteMarker:b ETag:s Expiration:s Expires:s LastModified:s Metadata:o MissingMeta:n " +
		"PartsCount:n Restore:s SSECustomerAlgorithm:s SSECustomerKeyMD5:s SSEKMSKeyId:s TagCount:n VersionId:s WebsiteRedirectLocation:s " +
		"StorageClass:" + storageClass + " ServerSideEncryption:" + serverSideEncryption + "}",
	"s3:headObject": "{AcceptRanges:s ContentLength:n ContentType:s DeleteMarker:b ETag:s LastModified:s Metadata:o VersionId:s StorageClass:" + storageClass + "}",
	"s3:putObject": "{Expiration:s ETag:s VersionId:s SSECustomerAlgorithm:s SSEKMSKeyId:s BucketKeyEnabled:b Size:n ServerSideEncryption:" +
		serverSideEncryption + "}",
	"s3:deleteObject": "{DeleteMarker:b VersionId:s RequestCharged:s}",
	"s3:copyObject":   "{CopyObjectResult:{ETag:s LastModified:s} Expiration:s VersionId:s}",
	"s3:listObjectsV2": "{IsTruncated:b Contents:[{Key:s LastModified:s ETag:s Size:n StorageClass:" + storageClass + "}] Name:s Prefix:s " +
		"Delimiter:s MaxKeys:n CommonPrefixes:[{Prefix:s}] KeyCount:n ContinuationToken:s NextContinuationToken:s StartAfter:s}",
	"s3:listBuckets":                "{Buckets:[{Name:s CreationDate:s}] Owner:{DisplayName:s ID:s}}",
	"kms:encrypt":                   "{CiphertextBlob:x KeyId:s EncryptionAlgorithm:" + encryptionAlgorithm + "}",
	"kms:decrypt":                   "{Plaintext:x KeyId:s EncryptionAlgorithm:" + encryptionAlgorithm + "}",
	"kms:generateDataKey":           "{CiphertextBlob:x Plaintext:x KeyId:s}",
	"secretsmanager:getSecretValue": "{ARN:s Name:s VersionId:s SecretBinary:x SecretString:s VersionStages:[s] CreatedDate:s}",
	"ssm:getParameter":              "{Parameter:{Name:s Type:String|StringList|SecureString Value:s Version:n ARN:s DataType:s LastModifiedDate:s}}",
	"sts:getCallerIdentity":         "{UserId:s Account:s Arn:s}",
	"http:invoke":                   "{StatusCode:n StatusText:s Headers:* ResponseBody:*}",
}

const (
	consumedCapacity = "{TableName:s CapacityUnits:n ReadCapacityUnits:n WriteCapacityUnits:n " +
		"Table:{CapacityUnits:n ReadCapacityUnits:n WriteCapacityUnits:n} LocalSecondaryIndexes:o GlobalSecondaryIndexes:o}"
	storageClass = "STANDARD|REDUCED_REDUNDANCY|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER|DEEP_ARCHIVE|OUTPOSTS|" +
		"GLACIER_IR|SNOW|EXPRESS_ONEZONE|FSX_OPENZFS|FSX_ONTAP"
	serverSideEncryption = "AES256|aws:fsx|aws:kms|aws:kms:dsse"
	encryptionAlgorithm  = "SYMMETRIC_DEFAULT|RSAES_OAEP_SHA_1|RSAES_OAEP_SHA_256|SM2PKE"
)

// checkShape tells what is wrong with a mocked result, in AWS's words, or "".
// Fields that a shape has not are let pass; strict demands the required ones.
func checkShape(r Resource, v value.Value, strict bool) string {
	name := strings.TrimPrefix(r.Service, "aws-sdk:") + ":" + r.API
	if r.Service == "aws-sdk:sfn" {
		name = "states:" + r.API
	}
	text, ok := shapes[name+strings.TrimSuffix(r.Suffix, ":2")]
	if !ok {
		if text, ok = shapes[name]; !ok || r.Integration != RequestResponse {
			return ""
		}
	}
	s := shapeChecker{rest: text, strict: strict}
	s.check("", v, true)
	return s.wrong
}

// shapeChecker reads a shape and checks a value against it at the same time.
type shapeChecker struct {
	rest   string
	strict bool
	wrong  string
}

func (s *shapeChecker) take(c byte) bool {
	if s.rest != "" && s.rest[0] == c {
		s.rest = s.rest[1:]
		return true
	}
	return false
}

func (s *shapeChecker) word() string {
	n := strings.IndexAny(s.rest, " {}[]!")
	if n < 0 {
		n = len(s.rest)
	}
	w := s.rest[:n]
	s.rest = s.rest[n:]
	return w
}

func (s *shapeChecker) fail(format string, args ...any) {
	if s.wrong == "" {
		s.wrong = fmt.Sprintf(format, args...)
	}
}

// check reads the next shape; present tells whether there is a value for it.
func (s *shapeChecker) check(field string, v value.Value, present bool) {
	switch {
	case s.take('{'):
		s.object(field, v, present)
	case s.take('['):
		s.array(field, v, present)
	default:
		if kind := s.word(); present {
			s.scalar(field, kind, v)
		}
	}
}

func (s *shapeChecker) object(field string, v value.Value, present bool) {
	o, ok := v.(*value.Object)
	if present && !ok {
		s.fail("Field '%s' must be an object", field)
		present = false
	}
	for !s.take('}') {
		s.take(' ')
		n := strings.IndexAny(s.rest, ":!")
		name := s.rest[:n]
		s.rest = s.rest[n:]
		required := s.take('!')
		s.take(':')
		inner, there := o.Get(name)
		if required && present && !there && s.strict {
			s.fail("Required field '%s' is missing", name)
		}
		s.check(name, inner, present && there)
	}
}

func (s *shapeChecker) array(field string, v value.Value, present bool) {
	a, ok := v.(value.Array)
	if present && !ok {
		s.fail("Field '%s' must be an array", field)
	}
	shape := s.rest
	s.check(field, nil, false) // to its end
	end := s.rest
	for _, item := range a {
		s.rest = shape
		s.check(field, item, present)
	}
	s.rest = end
	s.take(']')
}

func (s *shapeChecker) scalar(field, kind string, v value.Value) {
	got := value.Kind(v)
	switch kind {
	case "*":
	case "s":
		s.expect(field, got, "string")
	case "n":
		s.expect(field, got, "number")
	case "b":
		s.expect(field, got, "boolean")
	case "o":
		s.expect(field, got, "object")
	case "x":
		s.expect(field, got, "string")
		if v == "" {
			s.fail("Field '%s' is smaller than the minimum length", field)
		}
	default:
		s.expect(field, got, "string")
		if text, _ := v.(string); got == "string" && !strings.Contains("|"+kind+"|", "|"+text+"|") {
			s.fail("Field '%s' is not an expected value", field)
		}
	}
}

func (s *shapeChecker) expect(field, got, want string) {
	if article := "a"; got != want {
		if want == "object" {
			article = "an"
		}
		s.fail("Field '%s' must be %s %s", field, article, want)
	}
}
