// Draws the states of a definition, marks how they are, and lets one choose
// them. Events on #graph: graph:select {name}, graph:way {edge}, graph:drawn.
'use strict';

(function () {
  const box = document.getElementById('graph');
  if (!box) return;
  const view = box.querySelector('.graph-view');
  const NS = 'http://www.w3.org/2000/svg';
  const SIGNS = {
    done: 'm-3.5.2 2.4 2.4 4.6-5', failed: 'M0-4v5M0 3.6v.2', caught: 'M0-4v5M0 3.6v.2', aborted: 'm-3-3 6 6M3-3l-6 6',
    active: 'M0-4.5a4.5 4.5 0 0 1 4.5 4.5', waiting: 'M0-3.6V0l2.4 1.6',
  };
  const WORDS = { pending: 'not entered', active: 'running', waiting: 'waiting', done: 'succeeded', caught: 'failed, caught', failed: 'failed', aborted: 'stopped' };

  let worker = null, job = 0, drawing = Promise.resolve(), plainFrom = 121;
  let graph = null, shown = null, marks = {}, chosen = '', svg = null, root = null;
  let scale = 1, left = 0, top = 0, byHand = false;

  function make(tag, attributes, parent) {
    const el = document.createElementNS(NS, tag);
    for (const name in attributes) el.setAttribute(name, attributes[name]);
    if (parent) parent.appendChild(el);
    return el;
  }

  // lay has Graphviz lay a graph out, which takes the time that it takes: a
  // worker that needs longer than the given milliseconds is given up.
  function lay(dot, limit) {
    if (!worker) {
      worker = new Worker(box.dataset.worker);
      worker.postMessage({ viz: new URL(box.dataset.viz, location.href).href });
    }
    return new Promise(function (done, fail) {
      let timer = 0;
      function stop(e) {
        clearTimeout(timer);
        worker.terminate();
        worker = null;
        fail(e);
      }
      worker.onerror = () => stop(new Error('the drawing could not be loaded'));
      worker.onmessage = function (e) {
        if (e.data.ready) { timer = setTimeout(() => stop(new Error('it is too large')), limit); return; }
        clearTimeout(timer);
        if (e.data.error) fail(new Error(e.data.error)); else done(e.data.layout);
      };
      worker.postMessage({ dot: dot });
    });
  }

  // layOut lays a graph out as well as it can be done in a few seconds: large
  // ones with straight lines that tell nothing.
  async function layOut(g) {
    if (g.states.length < plainFrom) {
      const made = iapDot.of(g);
      try { return { made: made, text: await lay(made.text, 4000) }; } catch (e) { plainFrom = g.states.length; }
    }
    const plain = iapDot.of(g, true);
    return { made: plain, text: await lay(plain.text, 20000) };
  }

  async function draw(g) {
    graph = g;
    const mine = ++job;
    if (!g.states.length) { note('No states yet.'); return; }
    if (document.fonts && document.fonts.load) await document.fonts.load('560 13px Inter').catch(() => null);
    // One after the other, and of those that wait only the newest.
    const answer = drawing.then(() => mine === job ? layOut(g) : null);
    drawing = answer.catch(() => null);
    try {
      const laid = await answer;
      if (!laid || mine !== job) return; // a newer one is on its way
      shown = iapDot.read(laid.text, laid.made);
      paint(laid.made);
      box.dispatchEvent(new CustomEvent('graph:drawn'));
    } catch (e) {
      if (mine === job) note('The graph of ' + g.states.length + ' states could not be drawn: ' + e.message + '.');
    }
  }

  function note(text) {
    view.replaceChildren(Object.assign(document.createElement('p'), { className: 'graph-note dim', textContent: text }));
    svg = root = shown = null;
  }

  function paint(made) {
    const held = document.activeElement && view.contains(document.activeElement) ? document.activeElement.dataset.name : '';
    const next = make('svg', { class: 'graph-svg', role: 'group', 'aria-label': 'Graph of the states', width: '100%', height: '100%' });
    root = make('g', {}, next);
    for (const c of shown.clusters) cluster(c);
    for (const l of shown.lines) line(l);
    for (const name of ['start', 'end']) {
      const b = shown.boxes[name];
      if (b) make('circle', { class: 'graph-' + name, cx: b.x, cy: b.y, r: 7 }, root);
    }
    graph.states.forEach(function (s, i) {
      state(s, made.sizes[i], shown.boxes['s' + i]);
      const end = shown.boxes['j' + i];
      if (end) make('circle', { class: 'graph-join', cx: end.x, cy: end.y, r: 3 }, root);
    });
    view.replaceChildren(next);
    svg = next;
    if (!byHand) fit();
    else place();
    mark(marks);
    select(chosen, true);
    const first = root.querySelector('.node.chosen') || root.querySelector('.node');
    if (first) first.setAttribute('tabindex', '0');
    if (held) { const n = find(held); if (n) n.focus({ preventScroll: true }); }
  }

  function cluster(c) {
    const owner = c.kind === 'c' ? c.index : graph.regions[c.index].owner;
    make('rect', { class: c.kind === 'c' ? 'holder' : 'region', x: c.x, y: c.y, width: c.w, height: c.h, rx: 10, 'data-owner': graph.states[owner].name }, root);
    if (c.kind === 'r' && graph.regions[c.index].title) make('text', { class: 'region-title', x: c.x + 8, y: c.y + 16 }, root).textContent = graph.regions[c.index].title;
  }

  function line(l) {
    const p = l.points;
    let d = 'M' + p[0].x + ' ' + p[0].y;
    for (let i = 1; i + 2 < p.length; i += 3) d += 'C' + [p[i], p[i + 1], p[i + 2]].map((q) => q.x + ' ' + q.y).join(' ');
    const g = make('g', { class: 'way way-' + l.way.kind }, root);
    if (l.way.edge !== undefined) { g.dataset.edge = l.way.edge; make('path', { class: 'way-hit', d: d }, g); }
    make('path', { class: 'way-line', d: d }, g);
    if (l.tip) {
      const from = p[p.length - 1], a = Math.atan2(l.tip.y - from.y, l.tip.x - from.x);
      const at = (r, w) => (l.tip.x - r * Math.cos(a) - w * Math.sin(a)).toFixed(1) + ' ' + (l.tip.y - r * Math.sin(a) + w * Math.cos(a)).toFixed(1);
      make('path', { class: 'way-tip', d: 'M' + at(0, 0) + 'L' + at(7, 3.2) + 'L' + at(7, -3.2) + 'z' }, g);
    }
    if (l.label && l.way.edge !== undefined) make('text', { class: 'way-label', x: l.label.x, y: l.label.y + 4 }, g).textContent = graph.edges[l.way.edge].label;
  }

  function state(s, size, b) {
    if (!b) return;
    const g = make('g', { class: 'node type-' + (s.type || 'none').toLowerCase(), transform: 'translate(' + (b.x - b.w / 2) + ' ' + (b.y - b.h / 2) + ')', role: 'button', tabindex: '-1', 'data-name': s.name }, root);
    make('rect', { class: 'node-box', width: b.w, height: b.h, rx: 8 }, g);
    make('circle', { class: 'node-type', cx: 16, cy: b.h / 2, r: 4.5 }, g);
    make('text', { class: 'node-name', x: 28, y: size.note ? 20 : b.h / 2 + 4.5 }, g).textContent = size.name + ' '; // blanks part the words for screen readers
    if (size.note) make('text', { class: 'node-note', x: 28, y: 36 }, g).textContent = size.note + ' ';
    const sign = make('g', { class: 'node-sign', transform: 'translate(' + (b.w - 14) + ' ' + b.h / 2 + ')' }, g);
    make('circle', { r: 7.5 }, sign);
    make('path', {}, sign);
    make('text', { class: 'node-count', x: b.w - 4, y: -4 }, g);
    make('title', {}, g).textContent = s.name + (s.note ? '\n' + s.note : '');
    make('circle', { class: 'node-port', cx: b.w / 2, cy: b.h, r: 5 }, g);
  }

  const find = (name) => root && [...root.querySelectorAll('.node')].find((n) => n.dataset.name === name);

  function mark(all) {
    marks = all || {};
    if (!root) return;
    const seen = Object.keys(marks).length > 0;
    for (const n of root.querySelectorAll('.node')) {
      const m = marks[n.dataset.name] || {};
      const status = m.status || 'pending';
      if (seen) n.dataset.status = status;
      n.querySelector('.node-sign path').setAttribute('d', SIGNS[status] || '');
      let count = m.total ? (m.ended || 0) + '/' + m.total : m.count > 1 ? '×' + m.count : '';
      if (m.retries) count += (count ? ' · ' : '') + m.retries + (m.retries > 1 ? ' retries' : ' retry');
      n.querySelector('.node-count').textContent = count;
      const s = graph.states.find((x) => x.name === n.dataset.name);
      // What is seen comes first, as it is seen, so that it can be spoken to.
      const text = [...n.querySelectorAll('.node-name, .node-note')].map((x) => x.textContent.trim());
      const whole = text[0] !== n.dataset.name && n.dataset.name;
      n.setAttribute('aria-label', [[...text, count].filter(Boolean).join(' '), whole, s && s.type, seen && WORDS[status], m.note].filter(Boolean).join(', '));
    }
  }

  function select(name, quiet) {
    chosen = name || '';
    if (!root) return;
    for (const n of root.querySelectorAll('.node, .holder')) n.classList.toggle('chosen', (n.dataset.name || n.dataset.owner) === chosen && chosen !== '');
    for (const w of root.querySelectorAll('.way.chosen')) w.classList.remove('chosen');
    if (!quiet) box.dispatchEvent(new CustomEvent('graph:select', { detail: { name: chosen } }));
  }

  function place() { root.setAttribute('transform', 'translate(' + left + ' ' + top + ') scale(' + scale + ')'); }

  // fit shows the graph as large as it fits; unless whole is asked for, no smaller
  // than one can read.
  function fit(whole) {
    const r = view.getBoundingClientRect();
    if (!shown || !r.width) return;
    scale = Math.min(1, (r.width - 24) / shown.w, (r.height - 24) / shown.h);
    if (!whole && scale < 0.45) scale = Math.min(0.75, Math.max(0.45, (r.width - 24) / shown.w)); // readable; the rest is a drag away
    left = Math.max(12, (r.width - shown.w * scale) / 2);
    if (shown.w * scale > r.width && shown.boxes.start) left = r.width / 2 - shown.boxes.start.x * scale; // it begins in sight
    top = Math.max(12, (r.height - shown.h * scale) / 2);
    byHand = false;
    place();
  }

  function zoom(by, x, y) {
    const to = Math.min(2.5, Math.max(0.15, scale * by));
    left = x - (x - left) * to / scale;
    top = y - (y - top) * to / scale;
    scale = to;
    byHand = true;
    place();
  }

  // reveal moves the graph so that a state is in the window.
  function reveal(name) {
    const i = graph ? graph.states.findIndex((s) => s.name === name) : -1;
    const b = shown && shown.boxes['s' + i];
    if (!b) return;
    const r = view.getBoundingClientRect(), x = b.x * scale + left, y = b.y * scale + top;
    if (x > 40 && y > 30 && x < r.width - 40 && y < r.height - 30) return;
    left = r.width / 2 - b.x * scale;
    top = r.height / 2 - b.y * scale;
    byHand = true;
    place();
  }

  view.addEventListener('click', function (e) {
    const n = e.target.closest('.node'), w = e.target.closest('.way[data-edge]');
    if (n) return select(n.dataset.name);
    if (w) {
      select('', true);
      w.classList.add('chosen');
      box.dispatchEvent(new CustomEvent('graph:way', { detail: { edge: graph.edges[w.dataset.edge] } }));
    } else if (!view.dataset.moved) select('');
  });

  view.addEventListener('keydown', function (e) {
    const n = e.target.closest && e.target.closest('.node');
    if (!n) return;
    if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); select(n.dataset.name); return; }
    const way = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[e.key];
    if (!way) return;
    e.preventDefault();
    const next = nearest(n.dataset.name, way);
    if (!next) return;
    n.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    next.focus({ preventScroll: true });
    reveal(next.dataset.name);
  });

  function nearest(name, way) {
    const at = (s) => shown.boxes['s' + graph.states.indexOf(s)];
    const from = at(graph.states.find((s) => s.name === name));
    let best = null, least = Infinity;
    for (const s of graph.states) {
      const b = at(s);
      if (!b || s.name === name) continue;
      const along = (b.x - from.x) * way[0] + (b.y - from.y) * way[1];
      const aside = Math.abs((b.x - from.x) * way[1]) + Math.abs((b.y - from.y) * way[0]);
      if (along > 4 && along + 2 * aside < least) { least = along + 2 * aside; best = s; }
    }
    return best && find(best.name);
  }

  view.addEventListener('wheel', function (e) {
    if (!root || !e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    const r = view.getBoundingClientRect();
    zoom(Math.exp(-e.deltaY / 300), e.clientX - r.left, e.clientY - r.top);
  }, { passive: false });

  let drag = null;
  view.addEventListener('pointerdown', function (e) {
    delete view.dataset.moved;
    if (e.button || !root || e.target.closest('.node')) return;
    drag = { x: e.clientX - left, y: e.clientY - top, fromX: e.clientX, fromY: e.clientY };
  });
  window.addEventListener('pointermove', function (e) {
    if (!drag || Math.abs(e.clientX - drag.fromX) + Math.abs(e.clientY - drag.fromY) < 4) return;
    view.dataset.moved = '1';
    left = e.clientX - drag.x;
    top = e.clientY - drag.y;
    byHand = true;
    place();
  });
  window.addEventListener('pointerup', function () { drag = null; });
  box.querySelector('.graph-tools').addEventListener('click', function (e) {
    const b = e.target.closest('[data-zoom]');
    if (!b || !root) return;
    const r = view.getBoundingClientRect();
    if (b.dataset.zoom === 'fit') fit(true);
    else zoom(b.dataset.zoom === 'in' ? 1.25 : 0.8, r.width / 2, r.height / 2);
  });
  new ResizeObserver(function () { if (root && !byHand) fit(); }).observe(view);

  // toGraph turns a place on the screen into one in the graph.
  function toGraph(x, y) {
    const r = view.getBoundingClientRect();
    return { x: (x - r.left - left) / scale, y: (y - r.top - top) / scale };
  }

  window.iapGraph = { box: box, view: view, draw: draw, mark: mark, select: select, reveal: reveal, toGraph: toGraph, make: make,
    get graph() { return graph; }, get root() { return root; }, get shown() { return shown; } };
  if (box.dataset.marks) marks = JSON.parse(box.dataset.marks);
  if (box.dataset.graph) draw(JSON.parse(box.dataset.graph));
})();
