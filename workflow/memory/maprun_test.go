package memory_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// spread is a machine that begins with a distributed Map.
func spread(t testing.TB, head, fields, one string) *asl.Machine {
	t.Helper()
	saved := ""
	if strings.Contains(fields, "Saved") {
		saved = `"Saved":{"Type":"Pass","End":true},`
	}
	return parse(t, `{`+head+`"StartAt":"All","States":{`+saved+`"All":{"Type":"Map","End":true,`+fields+
		`"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"One","States":{"One":`+
		strings.TrimSuffix(one, "}")+`,"End":true}}}}}}`)
}

func TestMapRunTakesVirtualTime(t *testing.T) {
	for limit, want := range map[int]time.Duration{0: 10 * time.Second, 1: 50 * time.Second, 2: 30 * time.Second} {
		m := spread(t, "", fmt.Sprintf(`"MaxConcurrency":%d,`, limit), `{"Type":"Wait","Seconds":10}`)
		r, err := memory.Run(t.Context(), m, value.MustText(`[1,2,3,4,5]`), memory.Options{Clock: memory.Virtual})
		if err != nil || r.Output.String() != "[1,2,3,4,5]" || r.EndedAt.Sub(r.StartedAt) != want {
			t.Errorf("MaxConcurrency %d: %s %s in %s, %v; want %s", limit, r.Status, r.Output, r.EndedAt.Sub(r.StartedAt), err, want)
		}
	}
}

func TestMapRunOutlivesNoTimeout(t *testing.T) {
	m := spread(t, `"TimeoutSeconds":5,`, "", `{"Type":"Wait","Seconds":10}`)
	r, err := memory.Run(t.Context(), m, value.MustText(`[1]`), memory.Options{Clock: memory.Virtual})
	if err != nil || r.Status != asl.TimedOut || r.EndedAt.Sub(r.StartedAt) != 5*time.Second {
		t.Error(r, err)
	}
}

func TestMapRunIsRetriedAndCaught(t *testing.T) {
	var calls atomic.Int64
	fails := func(context.Context, asl.ScheduleTask) memory.Answer {
		calls.Add(1)
		return memory.Fail("Odd", "it is odd")
	}
	for _, clock := range []memory.Clock{memory.Virtual, memory.Real} {
		calls.Store(0)
		m := spread(t, "", `"Retry":[{"ErrorEquals":["States.ExceedToleratedFailureThreshold"],"MaxAttempts":2,"IntervalSeconds":1,"MaxDelaySeconds":2,"BackoffRate":1}],
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Saved"}],`, task)
		r, err := memory.Run(t.Context(), m, value.MustText(`[1]`), memory.Options{Clock: clock, Task: fails, History: true})
		want := `{"Error":"States.ExceedToleratedFailureThreshold","Cause":"The specified tolerated failure threshold was exceeded"}`
		if err != nil || r.Output.String() != want || calls.Load() != 3 {
			t.Fatalf("%s %s after %d calls, %v", r.Status, r.Output, calls.Load(), err)
		}
		got := strings.ReplaceAll(types(r.Events), "MapRunStarted MapRunFailed", "RUN")
		if want := "ExecutionStarted MapStateEntered MapStateStarted RUN MapStateStarted RUN MapStateStarted RUN MapStateFailed MapStateExited PassStateEntered PassStateExited ExecutionSucceeded"; got != want {
			t.Errorf("history %s", got)
		}
	}
}

func TestMapRunRunsChildrenBesideEachOther(t *testing.T) {
	meet := make(chan int, 3)
	all := make(chan struct{})
	m := spread(t, "", "", task)
	r, err := memory.Run(t.Context(), m, value.MustText(`[1,2,3]`), memory.Options{Task: func(_ context.Context, task asl.ScheduleTask) memory.Answer {
		meet <- 1
		if len(meet) == 3 {
			close(all)
		}
		<-all
		return memory.Answer{Output: task.Arguments}
	}})
	if err != nil || r.Output.String() != "[1,2,3]" {
		t.Fatal(r, err)
	}
}

func TestMapRunInJSONata(t *testing.T) {
	pool := jsonata.NewPool(jsonata.Config{})
	defer pool.Close()
	b, err := bucket.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w, err := b.Create(t.Context(), "data", "people.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, `{"n":"Ada"}`+"\n"+`{"n":"Alan"}`+"\n"+`{"n":"Grace"}`)
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	m := spread(t, `"QueryLanguage":"JSONata",`, `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSONL","MaxItems":"{% $states.input.max %}"},
		"Arguments":{"Bucket":"data","Key":"{% $states.input.key & 'l' %}"}},"ItemSelector":{"name":"{% $uppercase($states.context.Map.Item.Value.n) %}","i":"{% $states.context.Map.Item.Index %}","from":"{% $states.context.Map.Item.Source %}"},
		"ToleratedFailurePercentage":"{% 1 %}","Output":"{% $states.result.{'x':name, 'i':i, 'from':from} %}",`, `{"Type":"Pass"}`)
	r, err := memory.Run(t.Context(), m, value.MustText(`{"key":"people.json","max":2}`),
		memory.Options{Clock: memory.Virtual, Buckets: b, Env: asl.Env{JSONata: pool}})
	want := `[{"x":"ADA","i":0,"from":"S3://data/people.jsonl"},{"x":"ALAN","i":1,"from":"S3://data/people.jsonl"}]`
	if err != nil || r.Output.String() != want {
		cause := ""
		if r.Cause != nil {
			cause = *r.Cause
		}
		t.Fatalf("%s %s %s %v", r.Status, r.Output, cause, err)
	}
}

func TestMapRunOfAnObjectAndOfBatches(t *testing.T) {
	m := spread(t, "", `"ItemBatcher":{"MaxItemsPerBatch":2},`, `{"Type":"Pass"}`)
	r, err := memory.Run(t.Context(), m, value.MustText(`{"a":1,"b":2,"c":3}`), memory.Options{Clock: memory.Virtual})
	want := `[{"Items":[{"Key":"a","Value":1},{"Key":"b","Value":2}]},{"Items":[{"Key":"c","Value":3}]}]`
	if err != nil || r.Output.String() != want {
		t.Fatal(r.Output, r.Cause, err)
	}
	// By size: what does not fit waits for the next batch.
	m = spread(t, "", `"ItemBatcher":{"MaxInputBytesPerBatch":21},`, `{"Type":"Pass"}`)
	r, err = memory.Run(t.Context(), m, value.MustText(`["aaa","bbb","c"]`), memory.Options{Clock: memory.Virtual})
	if want := `[{"Items":["aaa"]},{"Items":["bbb","c"]}]`; err != nil || r.Output.String() != want {
		t.Fatal(r.Output, err)
	}
}

func TestMapRunWithTooLargeAResult(t *testing.T) {
	m := spread(t, "", `"ItemSelector":{"a.$":"$$.Map.Item.Value","b.$":"States.Format('{}{}', $$.Map.Item.Value, $$.Map.Item.Value)"},`, `{"Type":"Pass"}`)
	r, err := memory.Run(t.Context(), m, value.MustText(`["`+strings.Repeat("x", 60_000)+`","`+strings.Repeat("y", 60_000)+`"]`), memory.Options{Clock: memory.Virtual})
	if err != nil || r.Error == nil || *r.Error != "States.DataLimitExceeded" {
		t.Fatal(r.Status, r.Cause, err)
	}
}
