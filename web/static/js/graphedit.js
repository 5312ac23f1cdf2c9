// Changing states in the graph: what is dragged and joined becomes a change
// that editor.js has made in the text.
'use strict';

window.iapGraphEdit = function (change) {
  const g = window.iapGraph;
  const view = g.view;
  let pull = null;   // the line that is drawn from a state
  let waiting = '';  // kind of the way whose end is to be chosen
  let from = '';

  const nodeAt = (x, y) => { const el = document.elementFromPoint(x, y); return el && el.closest && el.closest('.node'); };
  const ownerAt = (x, y) => { const el = document.elementFromPoint(x, y); return el && el.closest && el.closest('.holder, .region'); };

  // ---- Joining: from the lower edge of a state to another one ----

  view.addEventListener('pointerdown', function (e) {
    const port = e.target.closest('.node-port');
    if (!port || e.button) return;
    e.preventDefault();
    e.stopPropagation();
    const name = port.closest('.node').dataset.name;
    pull = { name: name, line: g.make('path', { class: 'pull' }, g.root), x: e.clientX, y: e.clientY };
    view.setPointerCapture(e.pointerId);
  }, true);
  view.addEventListener('pointermove', function (e) {
    if (!pull) return;
    const a = g.toGraph(pull.x, pull.y), b = g.toGraph(e.clientX, e.clientY);
    pull.line.setAttribute('d', 'M' + a.x + ' ' + a.y + 'L' + b.x + ' ' + b.y);
    for (const n of g.root.querySelectorAll('.target')) n.classList.remove('target');
    const n = nodeAt(e.clientX, e.clientY);
    if (n && n.dataset.name !== pull.name) n.classList.add('target');
  });
  view.addEventListener('pointerup', function (e) {
    if (!pull) return;
    const n = nodeAt(e.clientX, e.clientY), name = pull.name, far = Math.hypot(e.clientX - pull.x, e.clientY - pull.y) > 8;
    pull.line.remove();
    pull = null;
    for (const t of g.root.querySelectorAll('.target')) t.classList.remove('target');
    if (n && far) change({ do: 'join', from: name, to: n.dataset.name, kind: e.shiftKey ? 'catch' : '' });
  });
  view.addEventListener('pointercancel', function () { if (pull) { pull.line.remove(); pull = null; } });

  // ---- Adding: from the palette onto a state, into a branch, or anywhere ----

  for (const chip of document.querySelectorAll('[data-add]')) {
    chip.addEventListener('dragstart', function (e) { e.dataTransfer.setData('application/x-iap-state', chip.dataset.add); e.dataTransfer.effectAllowed = 'copy'; });
  }
  view.addEventListener('dragover', function (e) {
    if (!e.dataTransfer.types.includes('application/x-iap-state')) return;
    e.preventDefault();
    e.dataTransfer.dropEffect = 'copy';
    for (const t of view.querySelectorAll('.target')) t.classList.remove('target');
    const t = nodeAt(e.clientX, e.clientY) || ownerAt(e.clientX, e.clientY);
    if (t) t.classList.add('target');
  });
  view.addEventListener('dragleave', function () { for (const t of view.querySelectorAll('.target')) t.classList.remove('target'); });
  view.addEventListener('drop', function (e) {
    const type = e.dataTransfer.getData('application/x-iap-state');
    if (!type) return;
    e.preventDefault();
    for (const t of view.querySelectorAll('.target')) t.classList.remove('target');
    const n = nodeAt(e.clientX, e.clientY), o = ownerAt(e.clientX, e.clientY);
    change({ do: 'add', type: type, from: n ? n.dataset.name : '', owner: n || !o ? '' : o.dataset.owner });
  });

  // ---- By the keyboard, and by touch: choose a state, then what to do ----

  function await_(kind, name) {
    waiting = kind;
    from = name;
    view.classList.add('choosing');
  }
  // chosen tells whether the choice of a state was the end of a way.
  function chosen(name) {
    if (!waiting || !name) return false;
    const c = { do: 'join', from: from, to: name, kind: waiting === 'catch' ? 'catch' : '' };
    stop();
    change(c);
    return true;
  }
  function stop() { waiting = ''; view.classList.remove('choosing'); }
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape') stop(); });
  return { wait: await_, chosen: chosen, get waiting() { return waiting; } };
};
