package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/edit"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow"
)

// firstText is what the editor begins with.
const firstText = `{
  "Comment": "Say here what it is for.",
  "StartAt": "Greet",
  "States": {
    "Greet": {
      "Type": "Pass",
      "Result": { "greeting": "Hello" },
      "Next": "Wait a moment"
    },
    "Wait a moment": {
      "Type": "Wait",
      "Seconds": 1,
      "Next": "Done"
    },
    "Done": {
      "Type": "Succeed"
    }
  }
}
`

type editorPage struct {
	layout
	S        SaveMachine
	Text     string
	Problem  string
	Path     string // of the state machine; empty: a new one
	Types    []statusOption
	Tasks    []TaskDoc
	StartTag string
}

func (s *Server) newMachinePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := editorPage{S: SaveMachine{New: true}, Text: firstText}
	if name := r.URL.Query().Get("copy"); name != "" {
		m, err := s.cfg.Workflows.Machine(r.Context(), actor, name)
		if err != nil {
			return err
		}
		p.Text, p.S.Type = string(m.Text), m.Type
	}
	return s.showEditor(w, r, actor, http.StatusOK, p)
}

func (s *Server) editorPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	m, err := s.cfg.Workflows.Machine(r.Context(), actor, r.PathValue("name"))
	if err != nil {
		return err
	}
	return s.showEditor(w, r, actor, http.StatusOK, editorPage{S: SaveMachine{Name: m.Name, Type: m.Type, Revision: m.Revision}, Text: string(m.Text)})
}

func (s *Server) showEditor(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, p editorPage) error {
	p.layout = s.layout(r, actor, "New state machine")
	p.Types, p.Tasks = machineTypes, s.cfg.Workflows.Tasks()
	if !p.S.New {
		p.Title, p.Path = "Edit "+p.S.Name, machinePath(p.S.Name)
	}
	return s.render(w, status, "editor", p)
}

// saveMachine takes the editor's form: a new state machine, or a new revision.
func (s *Server) saveMachine(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseDocument(w, r); err != nil {
		return err
	}
	f := SaveMachine{Name: r.PathValue("name"), Type: r.PostForm.Get("type"), Revision: r.PostForm.Get("revision"), New: r.PathValue("name") == ""}
	if f.New {
		f.Name = strings.TrimSpace(r.PostForm.Get("name"))
	}
	text := strings.ReplaceAll(r.PostForm.Get("definition"), "\r\n", "\n") // forms send lines so
	f.Text = []byte(text)
	_, err := s.cfg.Workflows.Save(r.Context(), actor, f)
	if iap.IsKind(err, iap.Invalid) || iap.IsKind(err, iap.Conflict) {
		p := editorPage{S: f, Text: text, Problem: capital(message(err))}
		if iap.IsKind(err, iap.Conflict) && !f.New {
			p.Problem += ". Open its page in another tab, compare, and save over it from there, or copy your text out of here."
		}
		return s.showEditor(w, r, actor, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, machinePath(f.Name))
}

// checked is what the editor learns of a text.
type checked struct {
	Text     *string       `json:"text,omitempty"`   // after a change
	Select   string        `json:"select,omitempty"` // name of the state to look at
	Refused  string        `json:"refused,omitempty"`
	Problems []asl.Problem `json:"problems"`
	Graph    *edit.Graph   `json:"graph,omitempty"` // none: the text is not JSON
}

// checkMachine says what is wrong with a text and how it looks, and makes a
// change first when one is asked for.
func (s *Server) checkMachine(w http.ResponseWriter, r *http.Request, _ iap.Actor) error {
	var req struct {
		Definition string       `json:"definition"`
		Type       string       `json:"type"` // of the state machine; empty: Standard
		Change     *edit.Change `json:"change"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxDocument)).Decode(&req); err != nil {
		return iap.Errorf("web", iap.Invalid, "the request must be JSON with a definition, of at most %d MiB", maxDocument>>20)
	}
	c := checked{Problems: []asl.Problem{}}
	text := []byte(req.Definition)
	if req.Change != nil {
		out, name, err := edit.Apply(text, *req.Change)
		var syntax *value.SyntaxError
		switch {
		case errors.As(err, &syntax):
			c.Refused = "The text is not JSON: set that right first"
		case iap.IsKind(err, iap.Invalid):
			var e *iap.Error
			errors.As(err, &e)
			c.Refused = capital(e.Message())
		case err != nil:
			return err
		default:
			text = out
			changed := string(out)
			c.Text, c.Select = &changed, name
		}
	}
	kind := asl.Standard
	if req.Type == workflow.Express {
		kind = asl.Express
	}
	c.Problems = append(c.Problems, asl.Validate(text, kind)...)
	if g, err := edit.Read(text); err == nil {
		c.Graph = g
	}
	return writeJSON(w, c)
}

// checkInput says whether a text is JSON.
func (s *Server) checkInput(w http.ResponseWriter, r *http.Request, _ iap.Actor) error {
	var req struct {
		Input string `json:"input"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxDocument)).Decode(&req); err != nil {
		return iap.Errorf("web", iap.Invalid, "the request must be JSON with an input, of at most %d MiB", maxDocument>>20)
	}
	problem := ""
	if err := checkJSON([]byte(req.Input)); err != nil {
		problem = message(err)
	}
	return writeJSON(w, map[string]string{"problem": problem})
}

// checkJSON says what is wrong with a text that must be JSON, and where.
func checkJSON(text []byte) error {
	_, err := value.Parse(text)
	var syntax *value.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	before := string(text[:min(syntax.Offset, len(text))])
	line := 1 + strings.Count(before, "\n")
	column := 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	return iap.Errorf("web", iap.Invalid, "line %d, column %d: %s", line, column, syntax.Msg)
}
