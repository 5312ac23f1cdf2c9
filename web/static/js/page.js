// The page on an instance's host: shows how far it is, and makes way for the
// app as soon as it is there.
'use strict';

(function () {
  const live = document.getElementById('live');

  function words(sec) { return sec < 9.95 ? sec.toFixed(1) + ' s' : Math.round(sec) + ' s'; }

  function times() {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const two = (n) => String(n).padStart(2, '0');
    for (const el of document.querySelectorAll('time[data-form]')) {
      const t = new Date(el.dateTime);
      const today = t.toDateString() === new Date().toDateString();
      const day = today ? 'today' : t.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }).replace(',', '');
      el.textContent = day + ' ' + two(t.getHours()) + ':' + two(t.getMinutes()) + (el.dataset.form === 'ends' ? ' (' + here + ')' : '');
    }
  }

  function tick() {
    const now = performance.now() / 1000;
    for (const el of document.querySelectorAll('[data-since]')) {
      if (el.from === undefined) el.from = now - Number(el.dataset.since);
      el.textContent = words(now - el.from);
    }
    for (const el of document.querySelectorAll('[data-left]')) {
      if (el.to === undefined) el.to = now + Number(el.dataset.left);
      el.textContent = words(Math.max(el.to - now, 0.1));
    }
    for (const bar of document.querySelectorAll('progress[data-progress]')) {
      if (bar.from === undefined) bar.from = now - bar.value;
      const x = (now - bar.from) / bar.max;
      bar.value = bar.max * (x < 0.7 ? x : 1 - 0.3 * Math.exp(-(x - 0.7) / 0.3));
    }
  }

  times();
  if (document.body.dataset.wait !== undefined) {
    setInterval(tick, matchMedia('(prefers-reduced-motion: reduce)').matches ? 1000 : 100);
    const source = new EventSource('/.iap/stream');
    source.addEventListener('progress', function (e) { live.innerHTML = e.data; times(); tick(); });
    source.addEventListener('ready', function () { source.close(); location.reload(); });
    source.onerror = function () { if (source.readyState === EventSource.CLOSED) setTimeout(function () { location.reload(); }, 2000); };
  } else if (document.body.dataset.retry !== undefined) {
    // An app that has just begun may need a moment; one that is broken is not asked for ever.
    const key = 'iap-retry';
    const tries = Number(sessionStorage.getItem(key) || 0);
    if (tries < 20) setTimeout(function () { sessionStorage.setItem(key, tries + 1); location.reload(); }, Math.min(500 * Math.pow(1.5, tries), 15000));
  }
})();
