// The editor of state machines: text, graph and problems beside each other. The
// text is the truth; the portal checks it, draws it, and makes the changes that
// are asked for in the graph.
'use strict';

(function () {
  const $ = (s) => document.querySelector(s);
  const form = $('#editor');
  if (!form || !window.iapCode || !window.iapGraph) return;
  const code = iapCode.attach($('#code'));
  const state = $('#editor-state'), list = $('#problems');
  const stateBar = $('#state-actions'), edgeBar = $('#edge-actions');
  const saved = code.field.value;
  let graph = null, chosen = '', way = null, asked = 0, timer = 0, sent = false;

  async function ask(change) {
    const mine = ++asked;
    const r = await fetch('/editor/check', { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ definition: code.field.value, type: form.elements.type ? form.elements.type.value : form.dataset.type, change: change || undefined }) });
    if (!r.ok) throw new Error(r.status === 413 ? 'The text is too long' : 'The portal did not check it (' + r.status + ')');
    const answer = await r.json();
    return mine === asked || change ? answer : null;
  }

  async function check() {
    clearTimeout(timer);
    try {
      const a = await ask();
      if (a) show(a);
    } catch (e) { state.textContent = e.message; }
  }

  function show(a) {
    const marks = new Map();
    for (const p of a.problems) if (!marks.has(p.line)) marks.set(p.line, p.message);
    code.mark(marks);
    list.replaceChildren(...(a.problems.length ? [problemList(a.problems)] : []));
    const n = a.problems.filter((p) => p.severity === 'ERROR').length, mild = a.problems.length - n;
    state.textContent = [n && n + (n === 1 ? ' problem' : ' problems'), mild && mild + (mild === 1 ? ' warning' : ' warnings')].filter(Boolean).join(', ') || 'No problems';
    state.classList.toggle('failed', n > 0);
    list.classList.toggle('mild', !n);
    iapGraph.box.classList.toggle('stale', !a.graph);
    if (a.graph && JSON.stringify(a.graph) !== JSON.stringify(graph)) {
      graph = a.graph;
      iapGraph.draw(graph);
    }
    bars();
  }

  function problemList(problems) {
    const ol = document.createElement('ol');
    for (const p of problems) {
      const li = ol.appendChild(document.createElement('li'));
      const b = li.appendChild(Object.assign(document.createElement('button'), { type: 'button', className: 'link' }));
      b.append(Object.assign(document.createElement('span'), { className: 'num dim', textContent: p.line + ':' + p.column }), ' ' + p.message);
      if (p.hint) b.append(Object.assign(document.createElement('span'), { className: 'dim', textContent: ' ' + p.hint }));
      if (p.suggestion) b.append(Object.assign(document.createElement('span'), { className: 'dim', textContent: ' Did you mean “' + p.suggestion + '”?' }));
      b.addEventListener('click', () => code.go(p.line, p.column, true));
    }
    return ol;
  }

  async function change(c) {
    clearTimeout(timer);
    try {
      const a = await ask(c);
      if (a.refused) { state.textContent = a.refused; state.classList.add('failed'); return; }
      code.set(a.text);
      clearTimeout(timer);
      show(a);
      if (a.select) { pick(a.select); iapGraph.select(a.select, true); }
      else pick('');
    } catch (e) { state.textContent = e.message; }
  }

  // ---- Choosing: in the graph, the cursor follows; in the text, the graph ----

  const edit = iapGraphEdit(change);

  function pick(name, still) {
    chosen = name;
    way = null;
    const s = graph && graph.states.find((x) => x.name === name);
    if (s && !still) code.go(s.line, s.column, false);
    bars();
  }

  function bars() {
    const s = graph && graph.states.find((x) => x.name === chosen);
    stateBar.hidden = !s;
    edgeBar.hidden = !way;
    if (s) {
      $('#chosen').textContent = chosen;
      const ends = s.type === 'Succeed' || s.type === 'Fail', catches = /^(Task|Parallel|Map)$/.test(s.type);
      stateBar.querySelector('[data-act=join]').hidden = ends;
      stateBar.querySelector('[data-act=catch]').hidden = !catches;
      stateBar.querySelector('[data-act=start]').hidden = graph.regions[s.region].start === graph.states.indexOf(s);
    }
    if (way) $('#chosen-edge').textContent = graph.states[way.from].name + ' → ' + graph.states[way.to].name;
  }

  iapGraph.box.addEventListener('graph:select', function (e) {
    if (edit.chosen(e.detail.name)) return;
    pick(e.detail.name);
  });
  iapGraph.box.addEventListener('graph:way', function (e) { chosen = ''; way = e.detail.edge; bars(); });
  $('#code').addEventListener('code:line', function (e) {
    if (!graph || document.activeElement !== code.field) return;
    let best = null;
    for (const s of graph.states) if (s.line <= e.detail && e.detail <= s.last && (!best || s.line >= best.line)) best = s;
    if (!best || best.name === chosen) return;
    pick(best.name, true);
    iapGraph.select(best.name, true);
    iapGraph.reveal(best.name);
  });

  // ---- Buttons ----

  function add(c) {
    const s = graph && graph.states.find((x) => x.name === chosen);
    change(Object.assign({ do: 'add', from: s ? chosen : '' }, c));
  }
  form.addEventListener('click', function (e) {
    const b = e.target.closest('[data-add], [data-act]');
    if (!b) return;
    if (b.dataset.add) return add({ type: b.dataset.add });
    const act = b.dataset.act;
    if (act === 'join' || act === 'catch') {
      edit.wait(act, chosen);
      state.textContent = 'Choose the state that ' + (act === 'catch' ? 'takes its errors' : 'comes next') + ', or press Escape';
      state.classList.remove('failed');
    } else if (act === 'rename') {
      $('#rename-to').value = chosen;
      $('#rename-dialog').returnValue = '';
      $('#rename-dialog').showModal();
      $('#rename-to').select();
    } else if (act === 'remove') change({ do: 'remove', from: chosen });
    else if (act === 'start') change({ do: 'start', from: chosen });
    else if (act === 'cut' && way) change({ do: 'cut', from: graph.states[way.from].name, kind: way.kind, index: way.index });
  });
  $('#rename-dialog').addEventListener('close', function () {
    const to = $('#rename-to').value.trim();
    if (this.returnValue === 'rename' && to && to !== chosen) change({ do: 'rename', from: chosen, to: to });
  });
  const task = $('#task-add');
  if (task) task.addEventListener('change', function () {
    const o = task.selectedOptions[0];
    if (o.value) { try { add({ type: 'Task', to: o.dataset.title, body: JSON.parse(o.value) }); } catch (e) { state.textContent = 'This example is not JSON'; } }
    task.value = '';
  });

  code.field.addEventListener('input', function () { clearTimeout(timer); timer = setTimeout(check, 250); });
  document.addEventListener('keydown', function (e) {
    if ((e.ctrlKey || e.metaKey) && e.key === 's') { e.preventDefault(); form.requestSubmit(); }
    if ((e.key === 'Delete' || e.key === 'Backspace') && document.activeElement.closest && document.activeElement.closest('.node') && chosen) { e.preventDefault(); change({ do: 'remove', from: chosen }); }
  });
  form.addEventListener('submit', function () { sent = true; });
  window.addEventListener('beforeunload', function (e) { if (!sent && code.field.value !== saved) e.preventDefault(); });
  check();
})();
