package asl_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// parts keeps a State as a database does: a head and parts, of which only those
// are written that have changed.
type parts struct {
	splitter *asl.Splitter
	kept     map[string]string
	splits   int // how often it was kept in parts
}

// between writes the state and reads it back.
func (p *parts) between(t *testing.T) func(*asl.State) *asl.State {
	return func(s *asl.State) *asl.State {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		head, put, drop := p.splitter.Write(s)
		maps.Copy(p.kept, put)
		for _, name := range drop {
			if _, ok := p.kept[name]; !ok {
				t.Fatalf("%s is dropped and was never put", name)
			}
			delete(p.kept, name)
		}
		if asl.IsSplit(head) {
			p.splits++
		} else if len(p.kept) > 0 {
			t.Fatalf("a whole state leaves parts: %v", p.kept)
		}
		back, splitter, err := asl.Join(head, maps.Clone(p.kept))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(back)
		if err != nil || string(got) != string(want) {
			t.Fatalf("the state changed by being stored in parts: %v\n%s\n%s", err, want, got)
		}
		if p.splits%2 == 0 {
			p.splitter = splitter // as another process would go on; else as the same
		}
		return back
	}
}

// drawn is a random machine with what its tasks answer.
func drawn(rt *rapid.T, depth int) (*asl.Machine, []int, string) {
	b := &builder{t: rt}
	text := "{" + b.graph(depth) + "}"
	m, problems := asl.Parse([]byte(text))
	if len(problems) > 0 {
		rt.Fatalf("%v\n%s", problems, text)
	}
	return m, rapid.SliceOfN(rapid.IntRange(0, 12), 1, 20).Draw(rt, "answers"), text
}

// TestStoredInParts: a large State that is stored in parts after each step goes
// as one that is not stored.
func TestStoredInParts(t *testing.T) {
	splits := 0
	rapid.Check(t, func(rt *rapid.T) {
		m, answers, text := drawn(rt, 1)
		input := value.MustText(fmt.Sprintf(`{"list":[{"a":1},2.50,"x"],"large":%q}`, strings.Repeat("y", 9000)))
		plain := runMachine(t, m, answers, input, nil)
		p := &parts{splitter: &asl.Splitter{}, kept: map[string]string{}}
		if diff := cmp.Diff(plain, runMachine(t, m, answers, input, p.between(t))); diff != "" {
			rt.Fatalf("%s\n%s", text, diff)
		}
		splits += p.splits
	})
	if splits == 0 {
		t.Error("no state was large enough to be stored in parts")
	}
}

// TestJoinRefusesWhatIsNotWhole: a State that lacks a part is an error.
func TestJoinRefusesWhatIsNotWhole(t *testing.T) {
	m := parse(t, states(`"A":{"Type":"Task","Resource":"arn:iap:states:::job:apply","End":true}`))
	s := new(asl.State)
	input := value.MustText(`"` + strings.Repeat("z", 20_000) + `"`)
	if _, err := asl.Step(m, s, asl.Start{Input: input}, asl.Env{}); err != nil {
		t.Fatal(err)
	}
	head, put, _ := new(asl.Splitter).Write(s)
	if len(put) != 2 {
		t.Fatalf("got the parts %v", put)
	}
	for name := range put {
		less := maps.Clone(put)
		delete(less, name)
		if _, _, err := asl.Join(head, less); err == nil {
			t.Errorf("without %s it is no error", name)
		}
	}
	if err := json.Unmarshal(head, new(asl.State)); err == nil {
		t.Error("a head alone is taken for a State")
	}
}

// TestReplayed: an execution whose tasks answer what its history says goes the
// same way again.
func TestReplayed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, answers, text := drawn(rt, 2)
		input := value.MustText(`{"list":[{"a":1},2.50,"x"]}`)
		first := newDriver(t, m, answering(answers))
		again := newDriver(t, m, nil)
		for _, d := range []*driver{first, again} {
			d.env.Limits.HistoryEvents = 2000
		}
		first.run(input)
		again.answers, again.replay = replaying(rt, first.events, again), first.ended
		again.run(input)
		was, is := eventTexts(t, first.events), eventTexts(t, again.events)
		if len(was) == first.env.Limits.HistoryEvents && len(is) == len(was) {
			// A history that is full does not say what came last, nor so when: the
			// end of the execution stands in its place.
			was, is = was[:len(was)-1], is[:len(is)-1]
		}
		if diff := cmp.Diff(was, is); diff != "" {
			rt.Fatalf("%s\n%s", text, diff)
		}
	})
}

func eventTexts(t *testing.T, events []asl.HistoryEvent) []string {
	t.Helper()
	var out []string
	for _, e := range events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	return out
}

// replaying answers the tasks of a run as a history says: its n-th task is that
// of the n-th TaskScheduled.
func replaying(rt *rapid.T, history []asl.HistoryEvent, d *driver) func(asl.ScheduleTask) answer {
	place := map[int64]int{} // of an event of a task: which task it is
	var results []answer
	for _, e := range history {
		n, known := place[e.PreviousEventID]
		switch e.Type {
		case "TaskScheduled":
			place[e.ID] = len(results)
			results = append(results, answer{timeout: true}) // unless something else is told of it
			continue
		case "TaskSubmitted":
			results[n].submitted = e.Details.Output
		case "TaskSucceeded":
			results[n].timeout, results[n].output = false, e.Details.Output
		case "TaskFailed":
			results[n].timeout, results[n].fails = false, true
			results[n].err, results[n].cause = deref(e.Details.Error), deref(e.Details.Cause)
		case "TaskStarted", "TaskTimedOut":
		default:
			known = false
		}
		if known {
			place[e.ID] = n
		}
	}
	return func(task asl.ScheduleTask) answer {
		for n, s := range d.scheduled {
			if s.Frame == task.Frame && s.Attempt == task.Attempt && n < len(results) {
				return results[n]
			}
		}
		rt.Fatalf("the history knows no task of frame %d, attempt %d", task.Frame, task.Attempt)
		return answer{}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
