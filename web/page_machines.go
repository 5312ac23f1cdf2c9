package web

import (
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/edit"
	"github.com/internal-app-portal/iap/workflow"
)

// maxDocument is the size of a request with a definition or an input, in bytes,
// that is taken at most: a definition of a megabyte, and what it is wrapped in.
const maxDocument = 3 << 20

// workflows lets those in who may see state machines: admins. Without state
// machines the pages do not exist.
func (s *Server) workflows(h handler) handler {
	return s.admin(s.executions(h))
}

// executions lets everybody in: an execution tells itself who may see it.
func (s *Server) executions(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		if s.cfg.Workflows == nil {
			return iap.Errorf("web", iap.NotFound, "this portal runs no state machines")
		}
		return h(w, r, actor)
	}
}

func (s *Server) machinesPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		Machines []machineRow
		More     string
		Paging   bool
	}{layout: s.layout(r, actor, "State machines"), Paging: r.URL.Query().Get("after") != ""}
	machines, err := s.cfg.Workflows.Machines(r.Context(), actor, r.URL.Query().Get("after"), pageSize+1)
	if err != nil {
		return err
	}
	if len(machines) > pageSize {
		machines = machines[:pageSize]
		p.More = machines[pageSize-1].Name
	}
	for _, m := range machines {
		sketch, err := s.sketch(r.Context(), actor, m.Machine)
		if err != nil {
			return err
		}
		p.Machines = append(p.Machines, machineRow{m, sketch})
	}
	return s.render(w, http.StatusOK, "machines", p)
}

// machineRow is a state machine in the list, with its graph in little.
type machineRow struct {
	MachineItem
	Sketch template.HTML
}

type machinePage struct {
	layout
	M       Machine
	Path    string
	Graph   string // JSON
	Marks   string // none
	States  []edit.State
	Ways    map[string][]string // of a state: where it leads
	Text    string
	List    executionList
	Input   string
	Name    string
	Problem string
}

func (s *Server) machinePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showMachine(w, r, actor, http.StatusOK, machinePage{Input: "{}"})
}

// showMachine shows a state machine, with what somebody wanted to start it with.
func (s *Server) showMachine(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, p machinePage) error {
	name := r.PathValue("name")
	p.layout = s.layout(r, actor, name)
	var err error
	if p.M, err = s.cfg.Workflows.Machine(r.Context(), actor, name); err != nil {
		return err
	}
	p.Path, p.Text = machinePath(name), string(p.M.Text)
	if p.List, err = s.listExecutions(r, actor, name); err != nil {
		return err
	}
	p.List.Filter.Address = p.Path
	if g, err := edit.Read(p.M.Text); err == nil {
		b, err := json.Marshal(g)
		if err != nil {
			return err
		}
		p.Graph, p.States, p.Ways = string(b), g.States, waysOf(g)
	}
	return s.render(w, status, "machine", p)
}

// waysOf says of each state where it leads.
func waysOf(g *edit.Graph) map[string][]string {
	out := map[string][]string{}
	for _, e := range g.Edges {
		text := g.States[e.To].Name
		if e.Label != "" {
			text += " (" + e.Label + ")"
		}
		from := g.States[e.From].Name
		if !slices.Contains(out[from], text) {
			out[from] = append(out[from], text)
		}
	}
	return out
}

func (s *Server) startMachine(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseDocument(w, r); err != nil {
		return err
	}
	p := machinePage{Input: r.PostForm.Get("input"), Name: strings.TrimSpace(r.PostForm.Get("name"))}
	if strings.TrimSpace(p.Input) == "" {
		p.Input = "{}"
	}
	if err := checkJSON([]byte(p.Input)); err != nil {
		p.Problem = "Input: " + message(err)
		return s.showMachine(w, r, actor, http.StatusUnprocessableEntity, p)
	}
	id, err := s.cfg.Workflows.Start(r.Context(), actor, r.PathValue("name"), p.Name, json.RawMessage(p.Input))
	if iap.IsKind(err, iap.Invalid) || iap.IsKind(err, iap.Conflict) {
		p.Problem = capital(message(err))
		return s.showMachine(w, r, actor, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	if id == "" {
		return seeOther(w, r, machinePath(r.PathValue("name")))
	}
	return seeOther(w, r, "/executions/"+id)
}

func (s *Server) deleteMachine(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := s.cfg.Workflows.Delete(r.Context(), actor, r.PathValue("name")); err != nil {
		return err
	}
	return seeOther(w, r, "/machines")
}

func parseDocument(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 3*maxDocument) // a form writes a byte as three
	if err := r.ParseForm(); err != nil {
		return iap.Errorf("web", iap.Invalid, "the form could not be read: it must be at most %d MiB of form fields", maxDocument>>20)
	}
	return nil
}

func (s *Server) tasksPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.render(w, http.StatusOK, "tasks", struct {
		layout
		Tasks []TaskDoc
	}{s.layout(r, actor, "Tasks"), s.cfg.Workflows.Tasks()})
}

// machineTypes are what a new state machine may be.
var machineTypes = []statusOption{{workflow.Standard, "Standard: durable, runs up to a year"}, {workflow.Express, "Express: in memory, up to five minutes"}}
