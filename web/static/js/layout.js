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
    postMessage({ id: e.data.id, layout: v.renderString(e.data.dot, { format: 'json0' }) });
  }).catch(function (err) { postMessage({ id: e.data.id, error: String(err) }); });
};
