// The page of an execution: what changes is fetched when the stream says so.
'use strict';

(function () {
  const $ = (s, root) => (root || document).querySelector(s);
  const page = $('#execution');
  if (!page) return;
  const base = page.dataset.live;
  const panel = $('#state-panel');
  const before = panel ? panel.innerHTML : '';
  const shown = new URLSearchParams(location.search);
  let state = shown.get('state') || '', visit = shown.get('visit') || '';
  let busy = false, again = false, last = Number(page.dataset.last) || 0, status = page.dataset.status;

  // swap puts HTML into an element and keeps what has the focus.
  function swap(el, html) {
    if (!el || el.iapShown === html) return;
    el.iapShown = html;
    const id = el.contains(document.activeElement) ? document.activeElement.id : '';
    const open = [...el.querySelectorAll('details')].map((d) => d.open);
    el.innerHTML = html;
    [...el.querySelectorAll('details')].forEach((d, i) => { if (i < open.length && open.length > 1) d.open = open[i]; });
    if (id && document.getElementById(id)) document.getElementById(id).focus();
    el.dispatchEvent(new CustomEvent('htmx:afterSwap', { bubbles: true }));
  }

  async function text(url) {
    const r = await fetch(url, { headers: { Accept: 'text/html' } });
    if (!r.ok) throw new Error(r.status);
    return r.text();
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const r = await fetch(base + '/live');
      if (r.ok) take(await r.json());
    } catch (e) { /* the stream says when the portal is back */ }
    // At most five times a second, however fast it changes.
    setTimeout(function () { busy = false; if (again) { again = false; refresh(); } }, 200);
  }

  function take(now) {
    swap($('#map-runs'), now.runs);
    if (now.last === last && now.status === status) return; // what somebody is about to click stays
    status = now.status;
    swap($('#board'), now.board);
    swap($('#state-list'), now.list);
    if (window.iapGraph) iapGraph.mark(now.states);
    if (now.last !== last && state && panel && !panel.contains(document.activeElement)) choose(state, visit, true);
    if (now.last !== last || now.status !== 'RUNNING') moreHistory();
    last = now.last;
  }

  async function choose(name, which, quiet) {
    if (!panel) return;
    if (!name) return close();
    state = name;
    visit = which || '';
    const q = '?state=' + encodeURIComponent(name) + (visit ? '&visit=' + visit : '');
    try {
      const html = await text(base + '/state' + q);
      if (state !== name) return;
      if (!quiet) panel.iapShown = '';
      swap(panel, html);
    } catch (e) { panel.textContent = 'This state could not be read.'; }
    if (quiet) return;
    history.replaceState(null, '', location.pathname + (base.startsWith('/executions') ? q : location.search));
    if (window.iapGraph) { iapGraph.select(name, true); iapGraph.reveal(name); }
    if (matchMedia('(max-width: 900px)').matches) panel.scrollIntoView({ block: 'nearest' });
  }

  function close() {
    state = visit = '';
    panel.iapShown = '';
    if (!shown.get('state')) swap(panel, before);
    else { panel.replaceChildren(); }
    if (base.startsWith('/executions')) history.replaceState(null, '', location.pathname);
    if (window.iapGraph) iapGraph.select('', true);
  }

  document.addEventListener('click', function (e) {
    const link = e.target.closest('[data-state], [data-panel-close], [data-history], [data-event]');
    if (!link || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    if (link.dataset.state !== undefined) choose(link.dataset.state, link.dataset.visit);
    else if (link.dataset.panelClose !== undefined) close();
    else if (link.dataset.history !== undefined) turn(link.href);
    else unfold(link);
  });
  document.addEventListener('keydown', function (e) { if (e.key === 'Escape' && state && !$('dialog[open]')) close(); });
  if (window.iapGraph) {
    iapGraph.box.addEventListener('graph:select', (e) => choose(e.detail.name));
    if (state) iapGraph.select(state, true);
  }

  // ---- The history ----

  const body = $('#history-body');
  let at = new URLSearchParams(location.search);

  async function turn(href) {
    at = new URL(href, location.href).searchParams;
    try { body.iapShown = ''; swap(body, await text(body.dataset.from + '?' + at)); } catch (e) { /* what is there stays */ }
  }

  // moreHistory brings what is new when the end of the history is shown.
  function moreHistory() {
    if (!body || body.querySelector('.event-json')) return;
    const later = [...body.querySelectorAll('[data-history]')].some((a) => a.textContent === 'Later');
    if (!later || at.get('q')) text(body.dataset.from + '?' + at).then((html) => swap(body, html)).catch(() => null);
  }

  async function unfold(button) {
    const row = button.closest('tr');
    if (button.getAttribute('aria-expanded') === 'true') { row.nextElementSibling.remove(); button.setAttribute('aria-expanded', 'false'); return; }
    button.setAttribute('aria-expanded', 'true');
    const more = document.createElement('tr');
    more.className = 'event-json';
    const cell = more.appendChild(document.createElement('td'));
    cell.colSpan = row.children.length;
    row.after(more);
    try { cell.innerHTML = await text(button.dataset.event); } catch (e) { cell.textContent = 'This event could not be read.'; }
  }

  const search = $('#history-search');
  if (search) {
    let timer = 0;
    const go = function () { turn('?q=' + encodeURIComponent($('#hq').value.trim())); };
    search.addEventListener('submit', function (e) { e.preventDefault(); go(); });
    $('#hq').addEventListener('input', function () { clearTimeout(timer); timer = setTimeout(go, 250); });
  }

  function listen(live) {
    for (const name of page.dataset.topics ? page.dataset.topics.split(' ') : ['changed-' + page.dataset.id]) live.addEventListener(name, refresh);
    live.addEventListener('live-state', function (e) { if (e.detail) refresh(); });
  }
  if (window.iapLive) listen(window.iapLive);
  else document.addEventListener('iap:live', (e) => listen(e.detail), { once: true });
})();
