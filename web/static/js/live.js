// What htmx takes for an EventSource: messages come from the browser's one
// stream, through a SharedWorker where there is one.
'use strict';

(function () {
  const root = document.documentElement;

  // INNER are events of this object itself, and what every stream brings.
  const INNER = new Set(['live-state', 'open', 'error', 'message', 'resync', 'stale']);

  // number reads the position of a message.
  function number(id) {
    const at = id.split(';')[0].split('.');
    return { n: Number(at[0]) || 0, whole: at.length === 1 };
  }

  class Live extends EventTarget {
    constructor(url) {
      super();
      this.readyState = EventSource.CONNECTING;
      this.last = Number(new URL(url, location.href).searchParams.get('last')) || 0;
      this.logs = new Map();
      this.names = new Set();
      window.iapLive = this;
      document.dispatchEvent(new CustomEvent('iap:live', { detail: this }));
      // The page's listeners are added before the connection is made.
      queueMicrotask(() => this.connect());
    }

    // addEventListener notes what the page listens to: no other message is sent
    // to it.
    addEventListener(name, ...rest) {
      super.addEventListener(name, ...rest);
      if (this.names.has(name) || name.startsWith('log-') || INNER.has(name)) return;
      this.names.add(name);
      if (this.renewing || this.readyState === EventSource.CONNECTING && !this.port && !this.source) return;
      this.renewing = true;
      queueMicrotask(() => {
        this.renewing = false;
        if (this.port) this.port.postMessage({ type: 'topics', topics: this.topics() });
        else this.direct();
      });
    }

    // topics are the names; of several that begin alike, what they begin with.
    topics() {
      const kinds = new Map();
      for (const name of this.names) {
        const kind = name.split('-')[0];
        kinds.set(kind, kinds.has(kind) ? kind : name);
      }
      return kinds.size ? [...kinds.values()] : ['-'];
    }

    connect() {
      const logs = [...this.logs];
      if (typeof SharedWorker === 'function') {
        try {
          this.port = new SharedWorker(root.dataset.worker, { name: 'iap' }).port;
          this.port.onmessage = (e) => this.take(e.data);
          this.port.postMessage({ type: 'open', last: this.last, logs: logs, topics: this.topics() });
          return;
        } catch (e) { this.port = null; }
      }
      this.direct();
    }

    // direct is the way of browsers without SharedWorker: a stream for this page.
    direct() {
      if (this.source) this.source.close();
      let url = '/stream?last=' + this.last;
      for (const t of this.topics()) url += '&want=' + encodeURIComponent(t);
      for (const [job, offset] of this.logs) url += '&log=' + job + ':' + offset;
      const source = this.source = new EventSource(url);
      source.onopen = () => this.take({ type: 'state', up: true });
      source.onmessage = (e) => this.message({ id: e.lastEventId, data: e.data });
      source.onerror = () => {
        this.take({ type: 'state', up: false });
        if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (this.source === source) this.direct(); }, 3000);
      };
    }

    take(m) {
      if (m.type === 'state') {
        this.readyState = m.up ? EventSource.OPEN : EventSource.CONNECTING;
        this.dispatchEvent(new CustomEvent('live-state', { detail: m.up }));
        return;
      }
      for (const one of m.list) this.message(one);
    }

    message(m) {
      const cut = m.data.indexOf('\n');
      const name = cut < 0 ? m.data : m.data.slice(0, cut);
      const data = cut < 0 ? '' : m.data.slice(cut + 1);
      if (!name.startsWith('log-')) {
        const at = number(m.id);
        if (name === 'at') { this.last = Math.max(this.last, at.n); return; }
        if (name !== 'resync' && at.n <= this.last) return;
        if (at.whole) this.last = at.n;
      }
      this.dispatchEvent(new MessageEvent(name, { data: data, lastEventId: m.id }));
    }

    // follow asks for what is written to a job's log from an offset on.
    follow(job, offset) {
      if (this.logs.has(job)) return;
      this.logs.set(job, offset);
      if (this.port) this.port.postMessage({ type: 'log', job: job, offset: offset });
      else if (this.source) this.direct();
    }

    close() {
      if (this.port) this.port.postMessage({ type: 'close' });
      if (this.source) this.source.close();
      this.readyState = EventSource.CLOSED;
    }
  }

  htmx.createEventSource = function (url) { return new Live(url); };

  window.addEventListener('pagehide', function () { if (window.iapLive) window.iapLive.close(); });
  window.addEventListener('pageshow', function (e) { if (e.persisted && window.iapLive) window.iapLive.connect(); });
})();
