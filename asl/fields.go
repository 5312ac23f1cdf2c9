package asl

import "slices"

// Fields that only one of the query languages has, wherever they stand.
var (
	pathOnly = []string{"InputPath", "OutputPath", "Parameters", "ResultPath", "ResultSelector", "ItemsPath",
		"TimeoutSecondsPath", "HeartbeatSecondsPath", "SecondsPath", "TimestampPath", "ErrorPath", "CausePath",
		"MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath", "Variable", "Result",
		"MaxItemsPath", "MaxItemsPerBatchPath", "MaxInputBytesPerBatchPath"}
	queryOnly = []string{"Arguments", "Output", "Items", "Condition"}
)

// fieldsOf lists the fields that states of a type have in either language.
func fieldsOf(t StateType) []string {
	common := []string{"Type", "Comment", "QueryLanguage"}
	io := []string{"InputPath", "OutputPath", "Output", "Assign"}
	result := []string{"Parameters", "ResultPath", "ResultSelector", "Retry", "Catch", "Next", "End"}
	switch t {
	case TypeTask:
		return slices.Concat(common, io, result, []string{"Resource", "Arguments", "TimeoutSeconds", "TimeoutSecondsPath",
			"HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials"})
	case TypePass:
		return slices.Concat(common, io, []string{"Result", "Parameters", "ResultPath", "Next", "End"})
	case TypeChoice:
		return slices.Concat(common, io, []string{"Choices", "Default"})
	case TypeWait:
		return slices.Concat(common, io, []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Next", "End"})
	case TypeSucceed:
		return slices.Concat(common, io[:3])
	case TypeFail:
		return slices.Concat(common, []string{"Error", "Cause", "ErrorPath", "CausePath"})
	case TypeParallel:
		return slices.Concat(common, io, result, []string{"Branches", "Arguments"})
	}
	return slices.Concat(common, io, result, []string{"Iterator", "ItemProcessor", "ItemsPath", "Items", "ItemSelector",
		"MaxConcurrency", "MaxConcurrencyPath"}, distributedOnly)
}

// distributedOnly are the fields of a Map state that need distributed mode.
var distributedOnly = []string{"Label", "ItemReader", "ItemBatcher", "ResultWriter", "ToleratedFailureCount",
	"ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"}

// unknown complains of fields that are not among the known ones.
func (c *checker) unknown(n *node, known []string) {
	for _, f := range n.fields() {
		if !slices.Contains(known, f.key) && !c.full(SeverityError) {
			c.schema(f, "Field '%s' is not supported", f.key).around(f).near(nearest(f.key, known))
		}
	}
}

// language complains of known fields of the other query language.
func (c *checker) language(n *node, lang QueryLanguage, known []string) {
	others, other := queryOnly, JSONata
	if lang == JSONata {
		others, other = pathOnly, JSONPath
	}
	for _, name := range others {
		f, ok := n.field(name)
		if !ok || !slices.Contains(known, name) {
			continue
		}
		c.schema(f, "The QueryLanguage is set to '%s', but field '%s' is only supported for the '%s' QueryLanguage", lang, name, other).
			around(f).near(counterpart(name, lang))
	}
	if lang == JSONata && n.key != "" {
		c.comparators(n, known)
	}
}

// comparators complains of the operators of a JSONPath choice in a JSONata one.
func (c *checker) comparators(n *node, known []string) {
	for _, f := range n.fields() {
		if slices.Contains(operatorNames, f.key) && slices.Contains(known, f.key) {
			c.schema(f, "The QueryLanguage is set to 'JSONata', but field '%s' is only supported for the 'JSONPath' QueryLanguage", f.key).
				around(f).near("Condition")
		}
	}
}

// counterpart is the field of a language that does what a field of the other
// does, or "".
func counterpart(name string, lang QueryLanguage) string {
	pairs := map[string]string{"Parameters": "Arguments", "OutputPath": "Output", "ResultSelector": "Output",
		"ResultPath": "Output", "Result": "Output", "ItemsPath": "Items", "Variable": "Condition",
		"TimeoutSecondsPath": "TimeoutSeconds", "HeartbeatSecondsPath": "HeartbeatSeconds",
		"SecondsPath": "Seconds", "TimestampPath": "Timestamp", "ErrorPath": "Error", "CausePath": "Cause",
		"MaxConcurrencyPath": "MaxConcurrency", "ToleratedFailureCountPath": "ToleratedFailureCount",
		"ToleratedFailurePercentagePath": "ToleratedFailurePercentage", "MaxItemsPath": "MaxItems",
		"MaxItemsPerBatchPath": "MaxItemsPerBatch", "MaxInputBytesPerBatchPath": "MaxInputBytesPerBatch"}
	if lang == JSONata {
		return pairs[name]
	}
	return map[string]string{"Arguments": "Parameters", "Items": "ItemsPath", "Condition": "Variable"}[name]
}
