// Makes Graphviz's input of the states of a definition, and reads what it
// answers. Lengths are pixels; Graphviz takes inches of 72.
'use strict';

window.iapDot = (function () {
  const pen = document.createElement('canvas').getContext('2d');
  const WIDEST = 240;

  function width(text, font) {
    pen.font = font;
    return pen.measureText(text).width;
  }

  // fit cuts a text off where it becomes too wide.
  function fit(text, font, most) {
    if (width(text, font) <= most) return text;
    let n = text.length;
    while (n > 1 && width(text.slice(0, n) + '…', font) > most) n--;
    return text.slice(0, n) + '…';
  }

  const NAME = '560 13px Inter, sans-serif';
  const NOTE = '400 11px Inter, sans-serif';
  const LABEL = '400 11px Inter, sans-serif';

  function size(state) {
    const name = fit(state.name, NAME, WIDEST);
    const note = fit(state.note || '', NOTE, WIDEST);
    const w = Math.max(width(name, NAME), width(note, NOTE), 72) + 56;
    return { name: name, note: note, w: Math.ceil(w), h: note ? 48 : 36 };
  }

  const quote = (s) => '"' + s.replace(/\\/g, '\\\\').replace(/"/g, '\\"') + '"';
  const inches = (px) => (px / 72).toFixed(3);

  function node(id, w, h) { return id + ' [width=' + inches(w) + ' height=' + inches(h) + ']\n'; }

  // room is a label of the size that the text will have: Graphviz knows nothing of
  // the page's font, and would leave too little.
  function room(text) {
    return 'label=<<table border="0" cellborder="0" cellspacing="0" cellpadding="0" fixedsize="true" width="' +
      Math.ceil(width(text, LABEL) + 14) + '" height="18"><tr><td></td></tr></table>> ';
  }

  // backward finds the edges that lead back to where a way through a region has been,
  // in regions that hold a Parallel or Map: Graphviz ranks clusters first, and would
  // cut such a loop open anywhere, so that the start came last.
  function backward(graph, holds) {
    const ways = graph.states.map(() => []);
    graph.edges.forEach((e, index) => ways[e.from].push(index));
    const nested = new Set(graph.states.map((s, i) => holds(i) ? s.region : -1));
    const found = new Set(), seen = new Set(), open = new Set();
    for (const r of graph.regions) {
      if (r.start < 0) continue;
      const stack = [{ at: r.start, next: 0 }]; // no recursion: machines may be long
      seen.add(r.start);
      open.add(r.start);
      while (stack.length) {
        const top = stack[stack.length - 1];
        if (top.next === ways[top.at].length) {
          open.delete(top.at);
          stack.pop();
          continue;
        }
        const index = ways[top.at][top.next++], to = graph.edges[index].to;
        if (open.has(to)) {
          if (to !== top.at && nested.has(graph.states[to].region)) found.add(index);
        } else if (!seen.has(to)) {
          seen.add(to);
          open.add(to);
          stack.push({ at: to, next: 0 });
        }
      }
    }
    return found;
  }

  // of makes the input. Each Parallel and Map is a cluster: its own node on
  // top, its regions as clusters in it, and a point at which they come together.
  // A plain one takes far less time: its lines are straight and without labels.
  function of(graph, plain) {
    const sizes = graph.states.map(size);
    const inside = graph.states.map(() => []); // regions of a state
    graph.regions.forEach((r, i) => { if (r.owner >= 0) inside[r.owner].push(i); });
    const members = graph.regions.map(() => []);
    graph.states.forEach((s, i) => members[s.region].push(i));
    const holds = (i) => inside[i].length > 0;
    const out = [];
    const edges = [];
    const ways = [];

    function edge(from, to, attributes, way) {
      edges.push(from + ' -> ' + to + ' [' + attributes + ' id=' + ways.length + ']\n');
      ways.push(way);
    }

    function region(r) {
      const here = graph.regions[r];
      for (const i of members[r]) state(i);
      if (here.owner < 0) return;
      const owner = here.owner;
      if (!members[r].length) out.push(node('x' + r, 40, 20));
      const first = here.start >= 0 ? 's' + here.start : members[r].length ? 's' + members[r][0] : 'x' + r;
      edge('s' + owner, first, '', { kind: 'enter' });
      let joined = false;
      for (const i of members[r]) {
        if (!graph.states[i].ends) continue;
        edge(holds(i) ? 'j' + i : 's' + i, 'j' + owner, '', { kind: 'leave' });
        joined = true;
      }
      if (!joined) edge(first, 'j' + owner, 'style=invis', { kind: 'none' });
    }

    function state(i) {
      const own = node('s' + i, sizes[i].w, sizes[i].h);
      if (!holds(i)) { out.push(own); return; }
      out.push('subgraph cluster_c' + i + ' { margin=12\n' + own);
      for (const r of inside[i]) {
        const title = graph.regions[r].title;
        out.push('subgraph cluster_r' + r + ' { margin=10 ' + (title ? 'label=' + quote(title) + ' labeljust=l fontsize=11' : '') + '\n');
        region(r);
        out.push('}\n');
      }
      out.push(node('j' + i, 8, 8) + '}\n');
    }

    region(0);
    const start = graph.regions[0].start;
    if (start >= 0) {
      out.push(node('start', 20, 20));
      edge('start', 's' + start, holds(start) ? 'lhead=cluster_c' + start : '', { kind: 'start' });
    }
    const last = members[0].filter((i) => graph.states[i].ends);
    if (last.length) out.push(node('end', 20, 20));
    for (const i of last) edge(holds(i) ? 'j' + i : 's' + i, 'end', holds(i) ? 'ltail=cluster_c' + i : '', { kind: 'end' });
    const back = backward(graph, holds);
    graph.edges.forEach(function (e, index) {
      let more = e.label && !plain ? room(e.label) : '';
      const turned = back.has(index); // given the other way round, with its tip at the other end
      if (turned) more += 'dir=back ';
      if (holds(e.from)) more += (turned ? 'lhead' : 'ltail') + '=cluster_c' + e.from + ' ';
      if (holds(e.to)) more += (turned ? 'ltail' : 'lhead') + '=cluster_c' + e.to + ' ';
      if (e.kind === 'catch') more += 'weight=0 ';
      const ends = [holds(e.from) && e.from !== e.to ? 'j' + e.from : 's' + e.from, 's' + e.to];
      if (turned) ends.reverse();
      edge(ends[0], ends[1], more, { kind: e.kind, edge: index, turned: turned });
    });
    const head = 'digraph { compound=true rankdir=TB nodesep=0.38 ranksep=0.42 pad=0.1 fontname="Helvetica"' +
      (plain ? ' nslimit=1 nslimit1=1 mclimit=0.1 splines=line' : '') + '\n' +
      'node [shape=box fixedsize=true label=""]\nedge [fontname="Helvetica" fontsize=11 arrowsize=0.7]\n';
    return { text: head + out.join('') + edges.join('') + '}', sizes: sizes, ways: ways };
  }

  // read turns an answer into boxes and lines, y downwards.
  function read(text, made) {
    const all = JSON.parse(text);
    const bb = all.bb.split(',').map(Number);
    const up = bb[3];
    const flip = (p) => ({ x: Number(p[0]), y: up - Number(p[1]) });
    const boxes = {};
    const clusters = [];
    for (const o of all.objects || []) {
      if (o.bb && o.name.startsWith('cluster_')) {
        const b = o.bb.split(',').map(Number);
        clusters.push({ kind: o.name[8], index: Number(o.name.slice(9)), x: b[0], y: up - b[3], w: b[2] - b[0], h: b[3] - b[1] });
      } else if (o.pos) {
        const at = flip(o.pos.split(','));
        boxes[o.name] = { x: at.x, y: at.y, w: o.width * 72, h: o.height * 72 };
      }
    }
    const lines = [];
    for (const e of all.edges || []) {
      const way = made.ways[Number(e.id)];
      if (!way || way.kind === 'none' || !e.pos) continue;
      let tip = null;
      const points = [];
      for (const part of e.pos.split(' ')) {
        const p = part.split(',');
        if (p[0] === 'e' || p[0] === 's') tip = flip(p.slice(1)); // each has one
        else points.push(flip(p));
      }
      if (way.turned) points.reverse();
      lines.push({ way: way, points: points, tip: tip, label: e.lp ? flip(e.lp.split(',')) : null });
    }
    return { w: bb[2], h: bb[3], boxes: boxes, clusters: clusters, lines: lines };
  }

  return { of: of, read: read };
})();
