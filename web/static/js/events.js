// The log of events as it grows: new ones appear at the top, unless somebody
// reads further down.
'use strict';

(function () {
  const rows = document.getElementById('event-rows');
  const newer = document.getElementById('newer');
  const most = 200; // rows on the page
  if (!rows || !rows.dataset.tail) return;
  let waiting = []; // what came and is not shown, oldest first
  let drawing = false;

  // reads reports whether somebody looks at something that would move.
  function reads() {
    const box = rows.getBoundingClientRect();
    return box.top < 0 || rows.contains(document.activeElement) || String(getSelection()) !== '';
  }

  function numberOf(html) { return Number(/data-number="(\d+)"/.exec(html)[1]); }

  function shown() { return rows.firstElementChild ? Number(rows.firstElementChild.dataset.number) : 0; }

  function draw() {
    drawing = false;
    if (!waiting.length) return;
    if (reads()) {
      newer.textContent = waiting.length === 1 ? '1 newer event' : (waiting.length > most ? 'More than ' + most : waiting.length) + ' newer events';
      newer.hidden = false;
      return;
    }
    show();
  }

  function show() {
    const last = shown();
    const html = waiting.filter((one) => numberOf(one) > last).reverse();
    waiting = [];
    newer.hidden = true;
    if (!html.length) return;
    htmx.swap(rows, html.join(''), { swapStyle: 'afterbegin', swapDelay: 0, settleDelay: 0 });
    rows.closest('.table').hidden = false;
    const none = document.getElementById('no-events');
    if (none) none.remove();
    while (rows.children.length > most) rows.lastElementChild.remove();
    older();
  }

  // older leads on from the last row that is left.
  function older() {
    const link = document.getElementById('older');
    if (!link || rows.children.length < most) return;
    const url = new URL(link.href);
    url.searchParams.set('before', rows.lastElementChild.dataset.number);
    link.href = url.pathname + url.search;
  }

  function come(e) {
    waiting.push(e.data);
    if (waiting.length > most + 1) waiting.shift();
    if (!drawing) { drawing = true; requestAnimationFrame(draw); }
  }

  newer.addEventListener('click', function () {
    scrollTo({ top: 0 });
    newer.blur();
    show();
  });
  addEventListener('scroll', function () { if (waiting.length && !drawing && !reads()) draw(); }, { passive: true });
  document.addEventListener('iap:live', function (e) {
    const state = document.getElementById('tail-state');
    e.detail.addEventListener(rows.dataset.tail, come);
    e.detail.addEventListener('live-state', function (up) { state.textContent = up.detail ? 'Live' : ''; });
  });
})();
