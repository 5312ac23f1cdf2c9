package asl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/asl"
)

// validated are definitions with what AWS says of them, each problem written
// as "CODE: message at location".
var validated = []struct{ name, definition, want string }{
	{"next to nowhere", states(`"A":{"Type":"Pass","Next":"NOPE"}`),
		`MISSING_TRANSITION_TARGET: Missing 'Next' target: NOPE at /States/A/Next; MISSING_END_STATE: Workflow has no terminal state at null`},
	{"loop", states(`"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}`), `MISSING_END_STATE: Workflow has no terminal state at null`},
	{"not reachable", states(`"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"},"C":{"Type":"Pass","End":true}`),
		`MISSING_TRANSITION_TARGET: State "C" is not reachable. at /States/C`},
	{"default", states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}],"Default":"X"},"B":{"Type":"Succeed"}`),
		`MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Default`},
	{"choice", states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"X"}],"Default":"B"},"B":{"Type":"Succeed"}`),
		`MISSING_TRANSITION_TARGET: Missing 'Next' target: X at /States/A/Choices[0]/Next`},
	{"choice without next", states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true}],"Default":"B"},"B":{"Type":"Succeed"}`),
		`SCHEMA_VALIDATION_FAILED: These fields are required: [Next] at /States/A/Choices[0]`},
	{"no choices", states(`"A":{"Type":"Choice","Choices":[],"Default":"B"},"B":{"Type":"Succeed"}`),
		`SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/A/Choices`},
	{"two in a rule", states(`"A":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","IsNull":true}],"Variable":"$.a","IsNull":true,"Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}`),
		`SCHEMA_VALIDATION_FAILED: The object must have only one of the following fields, [And, Or, Not, Variable, Condition] at /States/A/Choices[0]`},
	{"next within", states(`"A":{"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","IsNull":true,"Next":"B"},"Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}`),
		`SCHEMA_VALIDATION_FAILED: Field 'Next' is not supported at /States/A/Choices[0]/Not`},
	{"field of another type", states(`"A":{"Type":"Pass","TimeoutSeconds":1,"End":true}`), `SCHEMA_VALIDATION_FAILED: Field 'TimeoutSeconds' is not supported at /States/A`},
	{"next and end", states(`"A":{"Type":"Pass","Next":"A","End":true}`), `SCHEMA_VALIDATION_FAILED: There should only be one of the following fields: [Next, End] at /States/A`},
	{"neither", states(`"A":{"Type":"Pass"}`), `SCHEMA_VALIDATION_FAILED: This object should have only one of the following fields: [Next, End] at /States/A`},
	{"wait twice", states(`"A":{"Type":"Wait","Seconds":1,"SecondsPath":"$.s","End":true}`),
		`SCHEMA_VALIDATION_FAILED: There should only be one of the following fields: [SecondsPath, Seconds, TimestampPath, Timestamp] at /States/A`},
	{"text for a number", states(`"A":{"Type":"Wait","Seconds":"1","End":true}`), `SCHEMA_VALIDATION_FAILED: Expected value of type Integer at /States/A/Seconds`},
	{"too long", states(`"A":{"Type":"Wait","Seconds":100000000,"End":true}`), `SCHEMA_VALIDATION_FAILED: Maximum value is 99999999 at /States/A/Seconds`},
	{"attempts", states(task(`"Retry":[{"ErrorEquals":["E"],"MaxAttempts":-1}]`)), `SCHEMA_VALIDATION_FAILED: Minimum value is 0 at /States/A/Retry[0]/MaxAttempts`},
	{"delay", states(task(`"Retry":[{"ErrorEquals":["E"],"MaxDelaySeconds":31622401}]`)), `SCHEMA_VALIDATION_FAILED: Maximum value is 31622400 at /States/A/Retry[0]/MaxDelaySeconds`},
	{"role", states(task(`"Credentials":{"RoleArn":1}`)), `SCHEMA_VALIDATION_FAILED: Expected value of type String at /States/A/Credentials/RoleArn`},
	{"no path", states(`"A":{"Type":"Pass","InputPath":"x","End":true}`), `SCHEMA_VALIDATION_FAILED: Value must be a valid JSONPath. at /States/A/InputPath`},
	{"several items", states(`"A":{"Type":"Map","ItemsPath":"$.x[*]","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed"}}},"End":true}`),
		`SCHEMA_VALIDATION_FAILED: Value is not a Reference Path at /States/A/ItemsPath`},
	{"rule without a path", states(`"A":{"Type":"Choice","Choices":[{"Variable":"x","IsNull":true,"Next":"B"}]},"B":{"Type":"Succeed"}`),
		`SCHEMA_VALIDATION_FAILED: Value is not a Reference Path: Reference path didn't start with '$' at /States/A/Choices[0]/Variable`},
	{"reserved", states(`"A":{"Type":"Pass","Assign":{"states":1},"End":true}`), `RESERVED_VARIABLE_NAME: Cannot assign to reserved variable '$states'. at /States/A/Assign/states`},
	{"name of a variable", states(`"A":{"Type":"Pass","Assign":{"1x":1},"End":true}`),
		`INVALID_VARIABLE_NAME: Invalid variable name '1x': the variable name contains invalid characters. at /States/A/Assign/1x`},
	{"long name of a variable", states(`"A":{"Type":"Pass","Assign":{"` + strings.Repeat("x", 81) + `":1},"End":true}`),
		`INVALID_VARIABLE_NAME: Invalid variable name '` + strings.Repeat("x", 81) + `': the variable name is too long. at /States/A/Assign/` + strings.Repeat("x", 81)},
	{"interval 0", states(task(`"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":0}]`)), ``},
	{"all not last", states(task(`"Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["E"]}]`)),
		`SCHEMA_VALIDATION_FAILED: States.ALL must appear alone and at end of list at /States/A/Retry[0]/ErrorEquals`},
	{"all with others", states(task(`"Retry":[{"ErrorEquals":["E","States.ALL"]}]`)),
		`SCHEMA_VALIDATION_FAILED: States.ALL must appear alone and at end of list at /States/A/Retry[0]/ErrorEquals`},
	{"no errors", states(task(`"Retry":[{"ErrorEquals":[]}]`)), `SCHEMA_VALIDATION_FAILED: Value cannot be empty at /States/A/Retry[0]/ErrorEquals`},
	{"jitter", states(task(`"Retry":[{"ErrorEquals":["E"],"JitterStrategy":"SOME"}]`)),
		`SCHEMA_VALIDATION_FAILED: Value should be one of the following: [NONE, FULL] at /States/A/Retry[0]/JitterStrategy`},
	{"resource", states(`"A":{"Type":"Task","Resource":"nothing","End":true}`), `SCHEMA_VALIDATION_FAILED: Value is not a valid resource ARN at /States/A/Resource`},
	{"activity with a role", states(`"A":{"Type":"Task","Resource":"arn:aws:states:us-east-1:111111111111:activity:a","Credentials":{"RoleArn":"r"},"End":true}`),
		`SCHEMA_VALIDATION_FAILED: The field 'Credentials' is not supported for activities at /States/A/Credentials`},
	{"names", states(`"A":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"B","States":{"B":{"Type":"Succeed"}}},{"StartAt":"B","States":{"B":{"Type":"Succeed"}}}]}`),
		`DUPLICATE_STATE_NAME: Duplicate State name: B at /States/A/Branches[1]/States/B`},
	{"output in JSONPath", states(`"A":{"Type":"Pass","Output":1,"End":true}`),
		`SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A`},
	{"parameters in JSONata", query(`"Arguments":1,"Parameters":{}`),
		`SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONata', but field 'Parameters' is only supported for the 'JSONPath' QueryLanguage at /States/A`},
	{"inner states have the machine's language", states(`"A":{"Type":"Map","QueryLanguage":"JSONata","End":true,"ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Succeed","Output":1}}}}`),
		`SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A/ItemProcessor/States/B`},
	{"language of a processor", states(`"A":{"Type":"Map","End":true,"ItemProcessor":{"QueryLanguage":"JSONata","StartAt":"B","States":{"B":{"Type":"Succeed"}}}}`),
		`SCHEMA_VALIDATION_FAILED: Field 'QueryLanguage' is not supported at /States/A/ItemProcessor`},
	{"expression", query(`"Output":"{% 1 + %}"`), `INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/A/Output`},
	{"brackets", query(`"Output":"{% $states.input.a[1,2) %}"`), `INVALID_JSONATA_EXPRESSION: Expected "]", got "," at /States/A/Output`},
	{"no document", query(`"Output":{"v":"{% phone[0] %}"}`), `UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at /States/A/Output/v`},
	{"in a predicate", query(`"Output":"{% $states.input.items[value > 3] %}"`), ``},
	{"no input", query(`"Output":"{% $count($) %}"`), `UNSUPPORTED_JSONATA_EXPRESSION: Reference to '$' at the top level is not supported. at /States/A/Output`},
	{"root", query(`"Output":"{% $$ %}"`), `UNSUPPORTED_JSONATA_EXPRESSION: Reference to '$$' is not supported. at /States/A/Output`},
	{"error outside a catch", query(`"Output":"{% $states.errorOutput %}"`), `UNSUPPORTED_JSONATA_EXPRESSION: Field '$states.errorOutput' does not exist. at /States/A/Output`},
	{"half marked", query(`"Output":"{% 1"`), `SCHEMA_VALIDATION_FAILED: JSONata string must start with {% and end with %} at /States/A/Output`},
	{"no processor", states(`"A":{"Type":"Map","End":true}`), `SCHEMA_VALIDATION_FAILED: This object should have only one of the following fields: [ItemProcessor, Iterator] at /States/A`},
	{"type of children", distributed(`{"Mode":"DISTRIBUTED"}`, ``), `SCHEMA_VALIDATION_FAILED: These fields are required: [ExecutionType] at /States/A/ItemProcessor/ProcessorConfig`},
	{"type of children inline", distributed(`{"Mode":"INLINE","ExecutionType":"STANDARD"}`, ``), `SCHEMA_VALIDATION_FAILED: Field 'ExecutionType' is not supported at /States/A/ItemProcessor/ProcessorConfig`},
	{"headers", distributed(`{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"}`,
		`"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"GIVEN"},"Parameters":{}},`),
		`SCHEMA_VALIDATION_FAILED: These fields are required: [CSVHeaders] at /States/A/ItemReader/ReaderConfig`},
	{"hidden variable", states(`"S":{"Type":"Pass","Assign":{"x":1},"Next":"A"},"A":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"B","States":{"B":{"Type":"Pass","Assign":{"x":2},"End":true}}}]}`),
		`DUPLICATE_VARIABLE_NAME: The variable name 'x' was already defined in a parent scope. at /States/A/Branches[0]/States/B/Assign/x`},
	{"undefined variable", states(`"A":{"Type":"Pass","Parameters":{"a.$":"$nothing.x"},"End":true}`),
		`POSSIBLY_UNDEFINED_VARIABLE: Variable 'nothing' is possibly not defined. at /States/A/Parameters/a.$`},
	{"no dollar", states(`"A":{"Type":"Pass","Parameters":{"a":"$.x"},"End":true}`),
		`NO_DOLLAR: No '.$' on a field that appears to be a JSONPath or Intrinsic Function at /States/A/Parameters/a`},
	{"static result", states(`"A":{"Type":"Pass","Result":"$.x","End":true}`), `PASS_RESULT_IS_STATIC: Attempt to use a path in the result of a pass state at /States/A/Result`},
	{"no path", states(`"A":{"Type":"Fail","Error":"$.x"}`), `NO_PATH: Field value looks like a path, but field name does not end with 'Path' at /States/A/Error`},
}

// task is a Task state A with further fields.
func task(fields string) string {
	return `"A":{"Type":"Task","Resource":"arn:iap:states:::a:b","End":true,` + fields + `}`
}

// query is a machine of one JSONata Task state A.
func query(fields string) string {
	return states(`"A":{"QueryLanguage":"JSONata","Type":"Task","Resource":"arn:iap:states:::a:b","End":true,` + fields + `}`)
}

// distributed is a machine of one Map state A.
func distributed(config, fields string) string {
	return states(`"A":{"Type":"Map","End":true,` + fields + `"ItemProcessor":{"ProcessorConfig":` + config + `,"StartAt":"B","States":{"B":{"Type":"Succeed"}}}}`)
}

func TestValidateAsAWS(t *testing.T) {
	for _, test := range validated {
		definition := test.definition
		if strings.HasPrefix(definition, `{"StartAt":"A"`) && strings.Contains(definition, `"S":{`) {
			definition = strings.Replace(definition, `"StartAt":"A"`, `"StartAt":"S"`, 1)
		}
		var all []string
		for _, d := range asl.Diagnose([]byte(definition), asl.Standard, asl.SeverityWarning, 0).Diagnostics {
			at := d.Location
			if at == "" {
				at = "null"
			}
			all = append(all, fmt.Sprintf("%s: %s at %s", d.Code, d.Message, at))
		}
		if got := strings.Join(all, "; "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestValidateExpress(t *testing.T) {
	for definition, want := range map[string]string{
		states(`"A":{"Type":"Task","Resource":"arn:aws:states:::ecs:runTask.sync","End":true}`): "Express state machine does not support '.sync' service integration",
		distributed(`{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"}`, ``):                     "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines",
	} {
		problems := asl.Validate([]byte(definition), asl.Express)
		if len(problems) != 1 || problems[0].Message != want {
			t.Errorf("%s: got %v, want %s", definition, problems, want)
		}
		if problems := asl.Validate([]byte(definition), asl.Standard); !asl.Valid(problems) {
			t.Errorf("%s: %v", definition, problems)
		}
	}
}

// TestDiagnose: warnings are told when they are asked for, and the list is cut.
func TestDiagnose(t *testing.T) {
	warned := []byte(states(`"A":{"Type":"Pass","Parameters":{"a":"$.x","b":"$.y"},"End":true}`))
	if d := asl.Diagnose(warned, asl.Standard, "", 0); d.Result != "OK" || len(d.Diagnostics) != 0 {
		t.Errorf("without warnings: %+v", d)
	}
	if d := asl.Diagnose(warned, asl.Standard, asl.SeverityWarning, 1); d.Result != "OK" || len(d.Diagnostics) != 1 || !d.Truncated {
		t.Errorf("one warning: %+v", d)
	}
	if asl.DefinitionError(warned, asl.Validate(warned, asl.Standard)) != "" {
		t.Error("a warning is no error")
	}
}

// TestDiagnoseJSON: what is not JSON is told in the words of AWS's parser.
func TestDiagnoseJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"StartAt" "A"}`:      "Unexpected character ('\"' (code 34)): was expecting a colon to separate field name and value\n at [Source: (String)\"{\"StartAt\" \"A\"}\"; line: 1, column: 13]",
		"{\n \"States\": {}\n": "Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\n \"States\": {}\n\"; line: 1, column: 1])\n at [Source: (String)\"{\n \"States\": {}\n\"; line: 3, column: 1]",
		`{"a":1,}`:             "Unexpected character ('}' (code 125)): was expecting double-quote to start field name\n at [Source: (String)\"{\"a\":1,}\"; line: 1, column: 9]",
	} {
		d := asl.Diagnose([]byte(text), asl.Standard, "", 0)
		if len(d.Diagnostics) != 1 || d.Diagnostics[0].Code != asl.CodeJSON || d.Diagnostics[0].Message != want {
			t.Errorf("%s: %+v, want %s", text, d.Diagnostics, want)
		}
	}
}
