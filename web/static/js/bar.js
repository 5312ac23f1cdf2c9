// The bar in an app's page that tells before the instance ends, and is gone when
// the end moves. It is the portal's, in a page of another's: it touches nothing of
// the page's, and the page's style does not reach it.
(function () {
  'use strict';
  const own = document.currentScript;
  if (own) own.remove();
  if (window !== window.top) return;

  const tick = 10000, again = 30000; // milliseconds: between two texts, and until a stream that was refused is tried again
  let end = null, host = null, line = null, link = null, source = null, timer = 0, retry = 0;

  // What was dismissed stays so until the next warning, or the next end.
  const stage = () => new Date(end.ends_at).toISOString().slice(0, 16) + (left() <= 5 * 60 ? '/5' : '/30');
  const left = () => (new Date(end.ends_at) - Date.now()) / 1000;
  const dismissed = function (set) {
    try {
      if (set) sessionStorage.setItem('iap-bar', stage());
      return sessionStorage.getItem('iap-bar') === stage();
    } catch { return false; }
  };

  function make() {
    host = document.createElement('iap-ending');
    const root = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      :host { all: initial; position: fixed; z-index: 2147483647; left: 50%; bottom: 16px; transform: translateX(-50%); max-width: calc(100vw - 32px); width: max-content; }
      div { display: flex; align-items: center; gap: 12px; box-sizing: border-box; padding: 8px 8px 8px 16px; border-radius: 8px; font: 15px/1.4 system-ui, sans-serif;
        color: #1c1c1a; background: #fff; border: 1px solid #8a8a84; box-shadow: 0 4px 16px rgb(0 0 0 / .2); }
      a { color: #4a2fc9; white-space: nowrap; }
      button { font: inherit; color: inherit; background: none; border: 0; border-radius: 6px; width: 32px; height: 32px; cursor: pointer; flex: none; }
      button:hover { background: rgb(128 128 128 / .2); }
      a:focus-visible, button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
      @media (prefers-color-scheme: dark) { div { color: #f0f0ea; background: #1f1f23; border-color: #77777c; } a { color: #b3a1ff; } }
      @media print { :host { display: none; } }`);
    root.adoptedStyleSheets = [sheet];
    const box = document.createElement('div');
    box.setAttribute('role', 'status');
    line = document.createElement('span');
    link = document.createElement('a');
    link.textContent = 'Keep it longer';
    link.target = '_blank';
    link.rel = 'noopener';
    const close = document.createElement('button');
    close.type = 'button';
    close.textContent = '\u00d7';
    close.setAttribute('aria-label', 'Dismiss');
    close.addEventListener('click', function () { dismissed(true); gone(); });
    box.append(line, link, close);
    root.append(box);
    document.documentElement.append(host);
  }

  function gone() {
    if (host) host.remove();
    host = null;
  }

  function show() {
    if (!end || !end.warned || left() <= 0 || dismissed()) { gone(); return; }
    if (!host || !host.isConnected) { gone(); make(); }
    const at = new Date(end.ends_at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const minutes = Math.ceil(left() / 60);
    const text = 'This app ends at ' + at + ', in ' + minutes + (minutes === 1 ? ' minute' : ' minutes') +
      (end.by === 'idle' ? ', unless it is used' : '') + '.';
    if (line.textContent !== text) line.textContent = text;
    link.hidden = !end.keep;
    link.href = end.keep || '';
  }

  // listen has one stream while the page is seen: a browser gives a host six
  // connections at most, and the app needs them.
  function listen() {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
    if (document.visibilityState !== 'visible') return;
    source = new EventSource('/.iap/end');
    source.addEventListener('end', function (e) {
      end = JSON.parse(e.data);
      if (!end) source.close();
      say();
    });
    source.onerror = function () { // what is known counts until the portal answers
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(listen, again);
    };
    say();
  }

  function say() {
    clearTimeout(timer);
    show();
    if (end && end.warned && left() > 0) timer = setTimeout(say, tick);
  }

  document.addEventListener('visibilitychange', listen);
  window.addEventListener('pagehide', function () { if (source) source.close(); });
  window.addEventListener('pageshow', function (e) { if (e.persisted) listen(); });
  listen();
})();
