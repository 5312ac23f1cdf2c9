// What pages do beyond links and forms.
'use strict';

(function () {
  const $ = (selector, root) => (root || document).querySelector(selector);
  const $$ = (selector, root) => (root || document).querySelectorAll(selector);

  // ---- Times: in the reader's zone, the relative form as the tooltip ----

  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const two = (n) => String(n).padStart(2, '0');

  function dayOf(t) {
    const now = new Date();
    const days = Math.round((new Date(t.getFullYear(), t.getMonth(), t.getDate()) - new Date(now.getFullYear(), now.getMonth(), now.getDate())) / 864e5);
    if (days === 0) return 'today';
    if (days === 1) return 'tomorrow';
    if (days === -1) return 'yesterday';
    const parts = t.getFullYear() === now.getFullYear() ? { weekday: 'short', day: 'numeric', month: 'short' } : { day: 'numeric', month: 'short', year: 'numeric' };
    return t.toLocaleDateString('en-GB', parts).replace(',', '');
  }

  function relative(t) {
    const left = (t - Date.now()) / 1000;
    const f = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
    const size = Math.abs(left);
    if (size < 90) return f.format(Math.round(left), 'second');
    if (size < 5400) return f.format(Math.round(left / 60), 'minute');
    if (size < 129600) return f.format(Math.round(left / 3600), 'hour');
    return f.format(Math.round(left / 86400), 'day');
  }

  function clock(t) { return two(t.getHours()) + ':' + two(t.getMinutes()); }

  function times(root) {
    for (const el of $$('time[data-form]', root)) {
      const t = new Date(el.dateTime);
      let text = dayOf(t) + ' ' + clock(t);
      if (el.dataset.form === 'clock') text = clock(t) + ':' + two(t.getSeconds());
      if (el.dataset.form === 'moment') text = (dayOf(t) === 'today' ? '' : dayOf(t) + ' ') + clock(t) + ':' + two(t.getSeconds());
      if (el.dataset.form === 'ends') text += ' (' + here + ')';
      if (el.textContent !== text) el.textContent = text;
    }
  }

  // A clock time that is put in is that of the reader's own zone.
  function ownClock(root) {
    for (const el of $$('[data-own-zone]', root)) {
      if (el.tagName === 'INPUT') el.value = here;
      else el.textContent = here;
    }
    for (const el of $$('[data-own-clock]', root)) el.value = clock(new Date(el.dataset.ownClock));
  }

  document.addEventListener('pointerover', function (e) {
    const el = e.target.closest && e.target.closest('time[data-form]');
    if (el) el.title = relative(new Date(el.dateTime));
  });

  // ---- What counts on: seconds of a step, the bar, the rest expected ----

  function words(sec) {
    if (sec < 9.95) return Math.max(sec, 0).toFixed(1) + ' s';
    if (sec < 99.5) return Math.round(sec) + ' s';
    if (sec < 5400) return Math.round(sec / 60) + ' min';
    return (sec / 3600).toFixed(1) + ' h';
  }

  const still = matchMedia('(prefers-reduced-motion: reduce)');
  let ticking = 0;

  function base(el, key) {
    if (el.iapFrom === undefined) el.iapFrom = performance.now() / 1000 - Number(el.dataset[key]);
    return performance.now() / 1000 - el.iapFrom;
  }

  function tick() {
    const counting = $$('[data-since], [data-left]');
    for (const el of counting) {
      if (el.dataset.since !== undefined) { el.textContent = words(base(el, 'since')); continue; }
      if (el.iapFrom === undefined) el.iapFrom = performance.now() / 1000 + Number(el.dataset.left);
      el.textContent = words(Math.max(el.iapFrom - performance.now() / 1000, 0.1));
    }
    for (const bar of $$('progress[data-progress]')) {
      if (bar.iapFrom === undefined) bar.iapFrom = performance.now() / 1000 - bar.value;
      // It slows down towards the end, because the rest is a guess.
      const x = (performance.now() / 1000 - bar.iapFrom) / bar.max;
      bar.value = bar.max * (x < 0.7 ? x : 1 - 0.3 * Math.exp(-(x - 0.7) / 0.3));
    }
    if (!counting.length) { clearInterval(ticking); ticking = 0; }
  }

  function count() { if (!ticking && $('[data-since], [data-left]')) ticking = setInterval(tick, still.matches ? 1000 : 100); }

  // ---- The stream ----

  function connected(live) {
    const state = $('#link-state');
    let timer = 0;
    live.addEventListener('live-state', function (e) {
      clearTimeout(timer);
      if (e.detail) state.textContent = '';
      else timer = setTimeout(function () { state.textContent = 'Reconnecting…'; }, 1200);
    });
    live.addEventListener('resync', function () { location.reload(); });
    live.addEventListener('stale', function () { state.textContent = 'This page may be out of date'; });
    // A message may name the row that it is about: where that is shown, it changes by itself.
    for (const hint of $$('[data-hint]')) {
      live.addEventListener(hint.dataset.hint, function (e) {
        if (!e.data || !document.getElementById(e.data)) hint.hidden = false;
      });
    }
    logs(live);
  }

  let said = '';
  function announce(root) {
    const el = $('[data-announce]', root);
    if (!el || el.dataset.announce === said) return;
    if (said) $('#announce').textContent = el.dataset.announce;
    said = el.dataset.announce;
  }

  document.addEventListener('htmx:sseBeforeMessage', function (e) {
    const el = e.target;
    const data = e.detail.data;
    if (el.id === 'log-body') {
      const id = /id="(log-[^"]+)"/.exec(data);
      if (id && document.getElementById(id[1])) e.preventDefault();
      return;
    }
    if (el.iapShown === data || busy(el)) { e.preventDefault(); return; }
    el.iapShown = data;
    el.iapStates = [...$$('.status, .board-end, .step-time', el)].map((x) => x.textContent);
  });

  // busy: what somebody fills in is left alone; the next event brings it.
  function busy(el) {
    const a = document.activeElement;
    return el.contains(a) && (a.matches('input, select') || $('details[open]', el) !== null && a.closest('details') !== null);
  }

  document.addEventListener('htmx:sseMessage', function (e) {
    const el = e.target;
    times(el);
    announce(el);
    [...$$('.status, .board-end', el)].forEach(function (x) {
      if (!el.iapStates || el.iapStates.includes(x.textContent)) return;
      x.classList.add('fresh');
      setTimeout(function () { x.classList.add('over'); }, 750);
      setTimeout(function () { x.classList.remove('fresh', 'over'); }, 900);
    });
    if (el.id === 'log-body' && window.iapLive) logs(window.iapLive);
    count();
    tick();
  });
  document.addEventListener('htmx:afterSwap', function (e) { times(e.target); count(); });

  // ---- The log ----

  const TIME = /^(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) /;
  let follows = true;

  function line(number, text) {
    const li = document.createElement('li');
    li.id = 'L' + number;
    const a = li.appendChild(document.createElement('a'));
    a.href = '#L' + number;
    a.textContent = number;
    a.setAttribute('aria-label', 'Line ' + number);
    const at = TIME.exec(text);
    const when = li.appendChild(document.createElement(at ? 'time' : 'span'));
    if (at) { when.dateTime = at[1]; when.dataset.form = 'clock'; text = text.slice(at[0].length); }
    if (/^error/i.test(text)) li.className = 'failed';
    if (/^warning/i.test(text)) li.className = 'ending';
    li.appendChild(document.createElement('code')).textContent = text;
    return li;
  }

  function nextNumber() {
    const all = $$('#log-body .lines > li');
    return all.length ? Number(all[all.length - 1].id.slice(1)) + 1 : 1;
  }

  function atEnd(body) { return body.scrollHeight - body.scrollTop - body.clientHeight < 40; }

  function toEnd(body) { body.scrollTop = body.scrollHeight; }

  function logs(live) {
    const body = $('#log-body');
    if (!body) return;
    for (const section of $$('.log-section[data-follow]', body)) {
      if (section.iapFollowed) continue;
      section.iapFollowed = true;
      const list = $('.lines', section);
      let offset = Number(section.dataset.offset);
      live.addEventListener('log-' + section.dataset.job, function (e) {
        const piece = JSON.parse(e.data);
        const more = document.createDocumentFragment();
        let n = nextNumber();
        for (const [start, text] of piece.lines || []) if (start >= offset) more.appendChild(line(n++, text));
        offset = Math.max(offset, piece.to);
        times(more);
        list.appendChild(more);
        search();
        if (follows) toEnd(body);
        else $('#log-end').hidden = false;
      });
      live.follow(section.dataset.job, offset);
    }
  }

  function search() {
    const field = $('#log-search');
    if (!field) return;
    const text = field.value.trim().toLowerCase();
    let found = 0;
    for (const li of $$('#log-body .lines > li')) {
      const hit = !text || li.lastElementChild.textContent.toLowerCase().includes(text);
      li.hidden = !hit;
      if (hit) found++;
    }
    $('#log-found').textContent = text ? found + (found === 1 ? ' line' : ' lines') : '';
  }

  function setUpLog() {
    const body = $('#log-body');
    if (!body) return;
    const end = $('#log-end');
    if (location.hash.startsWith('#L')) follows = false;
    else toEnd(body);
    body.addEventListener('scroll', function () {
      follows = atEnd(body);
      if (follows) end.hidden = true;
    }, { passive: true });
    end.addEventListener('click', function () { follows = true; end.hidden = true; toEnd(body); });
    $('#log-search').addEventListener('input', search);
  }

  // ---- Buttons ----

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.body.appendChild(document.createElement('textarea'));
    area.value = text;
    area.className = 'unseen';
    area.select();
    document.execCommand('copy');
    area.remove();
  }

  document.addEventListener('click', function (e) {
    const el = e.target.closest('[data-copy-text]');
    if (!el) return;
    copy($('pre', el.parentElement).textContent).then(function () {
      $('span', el).textContent = 'Copied';
      el.classList.add('said');
      $('#announce').textContent = 'Copied';
      setTimeout(function () { el.classList.remove('said'); }, 2000);
    });
  });

  document.addEventListener('click', function (e) {
    const el = e.target.closest('[data-copy], [data-dialog], [data-close], #theme');
    if (!el) return;
    if (el.dataset.copy !== undefined) {
      copy(el.dataset.copy).then(function () {
        $('span', el).textContent = 'Copied';
        $('#announce').textContent = 'Copied';
        setTimeout(function () { $('span', el).textContent = 'Copy link'; }, 2000);
      });
    } else if (el.dataset.dialog !== undefined) {
      const dialog = document.getElementById(el.dataset.dialog);
      if (dialog && dialog.showModal) { e.preventDefault(); dialog.showModal(); }
    } else if (el.dataset.close !== undefined) {
      const dialog = el.closest('dialog');
      if (dialog) { e.preventDefault(); dialog.close(); }
    } else {
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
      root.dataset.theme = dark ? 'light' : 'dark';
      try { localStorage.setItem('iap-theme', root.dataset.theme); } catch (err) { /* storage is off */ }
    }
  });

  // Enter in a dialog's field does what the dialog says, also where the form around
  // it has another button before.
  document.addEventListener('keypress', function (e) {
    if (e.key !== 'Enter' || e.isComposing || !e.target.matches('dialog input')) return;
    const button = $('button[type=submit]', e.target.closest('dialog'));
    if (button) { e.preventDefault(); button.click(); }
  });

  document.addEventListener('submit', function (e) {
    const button = e.submitter;
    if (button && e.target.method === 'post') setTimeout(function () { button.disabled = true; });
  });
  window.addEventListener('pageshow', function () { for (const b of $$('form[method=post] button[disabled]')) if (b.id !== 'cancel') b.disabled = false; });

  // ---- The catalogue: search by typing ----

  function setUpSearch() {
    const field = $('#q');
    if (!field) return;
    const cards = [...$$('.card')];
    const filter = function () {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const card of cards) {
        const hit = wanted.every((w) => card.dataset.text.includes(w));
        card.hidden = !hit;
        if (hit) shown++;
      }
      $('#cards-none').hidden = shown > 0;
    };
    field.addEventListener('input', filter);
    field.form.addEventListener('submit', function (e) { if (!new URLSearchParams(location.search).get('q')) e.preventDefault(); });
    document.addEventListener('keydown', function (e) {
      if (e.key === '/' && !e.ctrlKey && !e.metaKey && !/^(input|select|textarea)$/i.test(e.target.tagName)) { e.preventDefault(); field.focus(); }
    });
    if (field.value) filter();
  }

  const place = $('.top nav [aria-current]');
  if (place) place.parentElement.scrollLeft = place.offsetLeft - 24; // narrow windows show a part of it

  times(document);
  ownClock(document);
  setUpSearch();
  setUpLog();
  announce(document);
  count();
  document.addEventListener('iap:live', function (e) { connected(e.detail); });
})();
