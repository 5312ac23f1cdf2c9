// One stream for all pages of this browser. Each page is a port; what comes is
// passed to all of them, and a page drops what it has seen. What the newest
// events brought is kept, so that a page that comes late gets what it missed.
'use strict';

const KEEP = 200;
const ports = new Map(); // port → {last, logs: Map(job → offset), topics: [name]}
let source = null;
let retry = 0;
let timer = 0;
let up = false;
let floor = 0;   // all messages of events above floor are kept
let head = 0;    // number of the newest event received whole
let kept = [];   // [{n, message}]
let parts = [];  // of the event that is being received
let following = ''; // the logs of the open stream
let covered = new Set(); // its topics

function parse(id) {
  const at = id.split(';')[0].split('.');
  return { n: Number(at[0]) || 0, whole: at.length === 1 };
}

function tell(message) {
  for (const port of ports.keys()) port.postMessage(message);
}

function wanted() {
  const logs = new Map();
  for (const page of ports.values()) {
    for (const [job, offset] of page.logs) logs.set(job, Math.min(offset, logs.has(job) ? logs.get(job) : offset));
  }
  return logs;
}

// topics are what all pages listen to.
function topics() {
  const all = new Set();
  for (const page of ports.values()) for (const t of page.topics) all.add(t);
  return all;
}

// covers reports whether the open stream brings all of these.
function covers(list) {
  return list.every(function (t) { return covered.has(t) || covered.has(t.split('-')[0]); });
}

function open(from) {
  clearTimeout(timer);
  if (source) source.close();
  head = floor = from;
  kept = [];
  parts = [];
  const logs = wanted();
  following = [...logs.keys()].sort().join();
  let url = '/stream?last=' + from;
  covered = topics();
  for (const t of covered) url += '&want=' + encodeURIComponent(t);
  for (const [job, offset] of logs) url += '&log=' + job + ':' + offset;
  const mine = source = new EventSource(url);
  mine.onopen = function () { retry = 0; parts = []; state(true); };
  mine.onmessage = receive;
  mine.onerror = function () {
    if (mine !== source) return;
    state(false);
    if (mine.readyState === EventSource.CLOSED) {
      retry = Math.min((retry || 500) * 2, 30000);
      clearTimeout(timer);
      timer = setTimeout(function () { if (ports.size) open(head); }, retry * (0.75 + Math.random() / 2));
    }
  };
}

function state(is) {
  up = is;
  tell({ type: 'state', up: is });
}

// receive passes on what one event brings in one piece: a page that got it in
// several would paint itself in between, and the rest would wait for that.
function receive(event) {
  const at = parse(event.lastEventId);
  if (event.data === 'at') { // nothing for these pages up to here
    head = Math.max(head, at.n);
    return;
  }
  const part = { id: event.lastEventId, data: event.data };
  if (event.data.startsWith('log-')) {
    remember(event.data);
    tell({ type: 'messages', list: [part] });
    return;
  }
  parts.push(part);
  if (!at.whole) return;
  const message = { type: 'messages', list: parts };
  parts = [];
  head = Math.max(head, at.n);
  kept.push({ n: at.n, message: message });
  if (kept.length > KEEP) floor = kept.shift().n;
  tell(message);
}

// remember notes how far the log went, so that a stream that is opened anew
// goes on there for the pages that have it.
function remember(data) {
  const piece = JSON.parse(data.slice(data.indexOf('\n') + 1));
  for (const page of ports.values()) {
    if (!page.logs.has(piece.job)) continue;
    if (piece.end) page.logs.delete(piece.job);
    else page.logs.set(piece.job, Math.max(page.logs.get(piece.job), piece.to));
  }
}

function attach(port, last, logs, wants) {
  ports.set(port, { last: last, logs: new Map(logs), topics: wants });
  const missing = [...wanted().keys()].some(function (job) { return !following.split(',').includes(job); });
  const late = [...logs].length > 0;
  if (!source || source.readyState === EventSource.CLOSED || last < floor || last > head + 100000) {
    open(last);
  } else if (missing || late || !covers(wants)) {
    open(Math.min(head, last));
  } else {
    for (const k of kept) if (k.n > last) port.postMessage(k.message);
  }
  port.postMessage({ type: 'state', up: up });
}

function detach(port) {
  ports.delete(port);
  if (ports.size) return;
  clearTimeout(timer);
  timer = setTimeout(function () {
    if (ports.size || !source) return;
    source.close();
    source = null;
  }, 3000);
}

onconnect = function (event) {
  const port = event.ports[0];
  port.onmessage = function (e) {
    const m = e.data;
    if (m.type === 'open') attach(port, m.last, m.logs || [], m.topics);
    if (m.type === 'log' && ports.has(port)) {
      ports.get(port).logs.set(m.job, m.offset);
      open(head);
    }
    if (m.type === 'topics' && ports.has(port)) {
      ports.get(port).topics = m.topics;
      if (!covers(m.topics)) open(head);
    }
    if (m.type === 'close') detach(port);
  };
};
