// Lays graphs out, beside the page: Graphviz is heavy, and pages themselves may
// run no WebAssembly.
'use strict';

let viz = null;

onmessage = function (e) {
  if (e.data.viz) {
    importScripts(e.data.viz);
    viz = Viz.instance();
    return;
  }
  viz.then(function (v) {
    postMessage({ ready: true }); // from here on the time counts
    postMessage({ layout: v.renderString(e.data.dot, { format: 'json0' }) });
  }).catch(function (err) { postMessage({ error: String(err) }); });
};
