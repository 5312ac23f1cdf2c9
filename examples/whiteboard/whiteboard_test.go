package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

func start(t *testing.T) *httptest.Server {
	t.Helper()
	handler, err := newHandler(&Hub{}, app.Logger(t.Output(), "whiteboard"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// browser is the other end of a connection.
type browser struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a connection and says hello; key is made long enough.
func dial(t *testing.T, server *httptest.Server, name, key string) browser {
	t.Helper()
	conn, answer, err := websocket.Dial(t.Context(), server.URL+"/ws", nil)
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, answer)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	b := browser{t, conn}
	b.say(`{"kind":"hello","name":%q,"key":%q}`, name, strings.Repeat(key, 16)[:16])
	return b
}

func (b browser) say(format string, args ...any) {
	b.t.Helper()
	if err := b.conn.Write(b.t.Context(), websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		b.t.Fatal(err)
	}
}

// hear returns the next message of one of the kinds; others are skipped.
func (b browser) hear(kinds ...string) Out {
	b.t.Helper()
	for {
		_, data, err := b.conn.Read(b.t.Context())
		if err != nil {
			b.t.Fatalf("waiting for %v: %v", kinds, err)
		}
		var out Out
		if err := json.Unmarshal(data, &out); err != nil {
			b.t.Fatal(err)
		}
		for _, kind := range kinds {
			if out.Kind == kind {
				return out
			}
		}
	}
}

func (b browser) draw(id string, points string) {
	b.t.Helper()
	b.say(`{"kind":"begin","stroke":{"id":%q,"colour":"red","width":4,"points":[%s]}}`, id, points)
}

// show writes a board down as "a:0,0,5,5 b:1,1".
func show(strokes []*Stroke) string {
	var out []string
	for _, s := range strokes {
		out = append(out, s.ID+":"+strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Points), " ", ","), "[]"))
	}
	return strings.Join(out, " ")
}

func TestEverybodySeesTheSameBoard(t *testing.T) {
	server := start(t)
	ann := dial(t, server, "Ann", "a")
	if you := ann.hear("welcome").Person; you.Name != "Ann" {
		t.Errorf("Ann is welcomed as %v", you)
	}
	bob := dial(t, server, "  Bob \n the very long name of Bob", "b")
	welcome := bob.hear("welcome")
	if len(welcome.People) != 1 || welcome.People[0].Name != "Ann" || welcome.Person.Name != "Bob the very long name o" {
		t.Errorf("Bob is welcomed by %v as %v", welcome.People, welcome.Person)
	}
	ann.draw("s1", "0,0")
	ann.say(`{"kind":"move","id":"s1","points":[5,5,9,9]}`)
	begin, move := bob.hear("begin"), bob.hear("move")
	if begin.Stroke.ID != "s1" || begin.Stroke.Colour != "red" || fmt.Sprint(move.Points) != "[5 5 9 9]" {
		t.Errorf("Bob sees %+v and %+v", begin.Stroke, move)
	}
	if own := ann.hear("begin"); own.Stroke.ID != "s1" {
		t.Errorf("Ann is told of %v, want the order of her own stroke", own.Stroke)
	}
	bob.say(`{"kind":"cursor","points":[7,8]}`)
	if c := ann.hear("cursor"); c.By != welcome.Person.Number || fmt.Sprint(c.Points) != "[7 8]" {
		t.Errorf("Ann sees Bob's pointer as %+v", c)
	}
	bob.say(`{"kind":"hello","name":"Robert"}`)
	bob.hear("join")
	for ann.hear("join").Person.Name != "Robert" {
	}
	late := dial(t, server, "", "c")
	if got := late.hear("welcome").Person.Name; got != "Guest" {
		t.Errorf("without a name one is %q", got)
	}
	if got := show(late.hear("board").Strokes); got != "s1:0,0,5,5,9,9" {
		t.Errorf("a late browser gets %s", got)
	}
	_ = late.conn.Close(websocket.StatusNormalClosure, "")
	if got := ann.hear("leave").By; got == 0 {
		t.Error("nobody is told who left")
	}
}

func TestUndoTakesOnlyOnesOwn(t *testing.T) {
	server := start(t)
	ann, bob := dial(t, server, "Ann", "a"), dial(t, server, "Bob", "b")
	ann.draw("a1", "1,1")
	ann.hear("begin")
	bob.draw("b1", "2,2")
	ann.hear("begin")
	ann.say(`{"kind":"move","id":"b1","points":[3,3]}`) // not hers: nothing happens
	ann.say(`{"kind":"undo"}`)
	if got := bob.hear("remove").ID; got != "a1" {
		t.Errorf("Ann's undo took %s", got)
	}
	ann.say(`{"kind":"undo"}`) // nothing of hers is left
	_ = bob.conn.CloseNow()
	ann.hear("leave")

	again := dial(t, server, "Bob", "b") // the same browser, reconnected
	if got := show(again.hear("board").Strokes); got != "b1:2,2" {
		t.Errorf("the board is %s", got)
	}
	again.say(`{"kind":"undo"}`)
	if got := ann.hear("remove").ID; got != "b1" {
		t.Errorf("Bob's undo took %s", got)
	}
	ann.draw("a2", "1,1")
	ann.say(`{"kind":"clear"}`)
	again.hear("clear")
	if got := show(dial(t, server, "", "d").hear("board").Strokes); got != "" {
		t.Errorf("after clearing: %s", got)
	}
}

func TestBadMessagesEndTheConnection(t *testing.T) {
	stroke := `{"id":"x","colour":"red","width":4,"points":[1,1]}`
	for _, message := range []string{
		`no JSON`,
		`{"kind":"dance"}`,
		`{"kind":"begin"}`,
		`{"kind":"begin","stroke":` + strings.Replace(stroke, "red", "url(x)", 1) + `}`,
		`{"kind":"begin","stroke":` + strings.Replace(stroke, "4", "65", 1) + `}`,
		`{"kind":"begin","stroke":` + strings.Replace(stroke, "[1,1]", "[]", 1) + `}`,
		`{"kind":"begin","stroke":` + strings.Replace(stroke, `"x"`, `""`, 1) + `}`,
		`{"kind":"begin","stroke":` + strings.Replace(stroke, `"x"`, `"taken"`, 1) + `}`,
		`{"kind":"move","id":"taken","points":[1]}`,
		`{"kind":"move","id":"taken","points":[1,99999999]}`,
		`{"kind":"cursor","points":[1,1,2,2]}`,
		`{"kind":"` + strings.Repeat("x", maxMessage) + `"}`,
	} {
		b := dial(t, start(t), "", "a")
		b.draw("taken", "0,0")
		b.hear("begin")
		b.say("%s", message)
		_, _, err := b.conn.Read(t.Context())
		want := websocket.StatusPolicyViolation
		if len(message) > maxMessage {
			want = websocket.StatusMessageTooBig
		}
		if got := websocket.CloseStatus(err); got != want {
			t.Errorf("%.60s: %v, want close status %d", message, err, want)
		}
	}
}

func TestFirstMessageMustBeHello(t *testing.T) {
	for _, first := range []string{`{"kind":"clear"}`, `{"kind":"hello","key":"short"}`, `x`} {
		conn, _, err := websocket.Dial(t.Context(), start(t).URL+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		b := browser{t, conn}
		b.say("%s", first)
		if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
			t.Errorf("%s: %v", first, err)
		}
	}
}

func TestForeignOriginIsRefused(t *testing.T) {
	server := start(t)
	for origin, ok := range map[string]bool{"http://evil.example": false, server.URL: true} {
		conn, answer, err := websocket.Dial(t.Context(), server.URL+"/ws",
			&websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if (err == nil) != ok {
			t.Errorf("Origin %s: %v", origin, err)
		}
		if !ok && answer.StatusCode != http.StatusForbidden {
			t.Errorf("Origin %s: status %d, want 403", origin, answer.StatusCode)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
}

// A browser that takes nothing is marked, and costs no more than its backlog; others go on.
func TestSlowBrowserIsDropped(t *testing.T) {
	var hub Hub
	slow, err := hub.Join("slow", strings.Repeat("s", 16))
	if err != nil {
		t.Fatal(err)
	}
	quick, err := hub.Join("quick", strings.Repeat("q", 16))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * backlog {
		if err := hub.Take(quick, In{Kind: "clear"}); err != nil {
			t.Fatal(err)
		}
		for len(quick.out) > 0 {
			<-quick.out
		}
	}
	select {
	case <-slow.slow:
	default:
		t.Error("the slow browser is not dropped")
	}
	select {
	case <-quick.slow:
		t.Error("the quick browser is dropped")
	default:
	}
}

func TestBoardIsBounded(t *testing.T) {
	var b Board
	long := make([]int, 2*(maxStrokePoints-1))
	for i := range maxPoints/maxStrokePoints + 3 {
		id := fmt.Sprint("s", i)
		if _, err := b.Begin(Stroke{ID: id, Colour: "ink", Width: 1, Points: []int{0, 0}, owner: "me"}); err != nil {
			t.Fatal(err)
		}
		if taken, _, err := b.Extend(id, "me", long); err != nil || len(taken) != len(long) {
			t.Fatalf("Extend took %d of %d, %v", len(taken), len(long), err)
		}
		if taken, _, _ := b.Extend(id, "me", []int{1, 1}); len(taken) != 0 {
			t.Fatalf("a stroke grew beyond its bound by %v", taken)
		}
	}
	if b.points > maxPoints || b.find("s0") >= 0 || b.find("s10") < 0 {
		t.Errorf("%d points, s0 at %d, s10 at %d", b.points, b.find("s0"), b.find("s10"))
	}
	b.Clear()
	for i := range maxStrokes + 10 {
		if _, err := b.Begin(Stroke{ID: fmt.Sprint(i), Colour: "ink", Width: 1, Points: []int{0, 0}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.strokes) != maxStrokes || b.find("9") >= 0 || b.find("10") != 0 {
		t.Errorf("%d strokes, 9 at %d, 10 at %d", len(b.strokes), b.find("9"), b.find("10"))
	}
}

func TestTableIsBounded(t *testing.T) {
	var hub Hub
	for range maxPeople {
		if _, err := hub.Join("", ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := hub.Join("", ""); err == nil {
		t.Error("one more person found a seat")
	}
}

func TestPace(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var p pace
	for i := range maxRate {
		if err := p.wait(ctx); err != nil {
			t.Fatalf("message %d has to wait", i)
		}
	}
	if err := p.wait(ctx); err == nil {
		t.Error("one message too many did not have to wait")
	}
}

func TestPages(t *testing.T) {
	server := start(t)
	for path, says := range map[string]string{"/": "<canvas", "/base.css": "--accent", "/healthz": "ok", "/board.js": "export"} {
		answer, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 || !strings.Contains(string(body), says) {
			t.Errorf("%s: %d, without %q", path, answer.StatusCode, says)
		}
	}
}
