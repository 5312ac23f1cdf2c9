// A text field for JSON: line numbers, colours, marks at problems, and keys
// that indent. The field stays a textarea, so that undoing, finding, touch
// keyboards and screen readers work as they do everywhere.
'use strict';

window.iapCode = (function () {
  const TOKEN = /("(?:[^"\\\n]|\\.)*"?)(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;
  const MOST = 200000; // characters; longer texts are not coloured

  function escape(s) { return s.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' }[c])); }

  function colour(line) {
    let out = '', at = 0;
    for (const m of line.matchAll(TOKEN)) {
      out += escape(line.slice(at, m.index));
      const kind = m[1] ? (m[2] ? 'key' : 'str') : 'lit';
      out += '<span class="' + kind + '">' + escape(m[1] || m[3] || m[4]) + '</span>' + (m[2] ? escape(m[2]) : '');
      at = m.index + m[0].length;
    }
    return out + escape(line.slice(at));
  }

  function attach(root) {
    const field = root.querySelector('textarea'), paint = root.querySelector('.code-paint'), gutter = root.querySelector('.code-gutter');
    let problems = new Map(), current = 0, drawn = [];

    function render() {
      const lines = field.value.split('\n');
      const plain = field.value.length > MOST;
      const html = lines.map((l, i) => {
        const wrong = problems.get(i + 1);
        return '<span class="line' + (wrong ? ' wrong' : '') + '">' + (plain ? '' : colour(l)) + '\n</span>';
      });
      root.classList.toggle('plain', plain);
      // Only the lines that changed are touched: typing stays quick in long texts.
      while (paint.childElementCount > html.length) paint.lastElementChild.remove();
      html.forEach(function (h, i) {
        if (drawn[i] === h && paint.children[i]) return;
        const t = document.createElement('template');
        t.innerHTML = h;
        if (paint.children[i]) paint.children[i].replaceWith(t.content);
        else paint.append(t.content);
      });
      drawn = html;
      while (gutter.childElementCount > lines.length) gutter.lastElementChild.remove();
      while (gutter.childElementCount < lines.length) gutter.append(Object.assign(document.createElement('span'), { textContent: gutter.childElementCount + 1 }));
      for (const el of gutter.querySelectorAll('.wrong')) { el.classList.remove('wrong'); el.removeAttribute('title'); }
      for (const [line, message] of problems) {
        const el = gutter.children[line - 1];
        if (el) { el.classList.add('wrong'); el.title = message; }
      }
      scroll();
      lineNow();
    }

    function scroll() {
      paint.style.transform = 'translate(' + -field.scrollLeft + 'px,' + -field.scrollTop + 'px)';
      gutter.style.transform = 'translateY(' + -field.scrollTop + 'px)';
    }

    function lineNow() {
      const line = field.value.slice(0, field.selectionStart).split('\n').length;
      if (line !== current) {
        if (gutter.children[current - 1]) gutter.children[current - 1].classList.remove('now');
        current = line;
        root.dispatchEvent(new CustomEvent('code:line', { detail: line }));
      }
      if (gutter.children[current - 1]) gutter.children[current - 1].classList.add('now');
    }

    // replace changes a part of the text as if it were typed, so that it can be
    // undone.
    function replace(from, to, text) {
      field.focus({ preventScroll: true });
      field.setSelectionRange(from, to);
      const done = text === '' ? document.execCommand('delete') : document.execCommand('insertText', false, text);
      if (!done) { field.setRangeText(text, from, to, 'end'); field.dispatchEvent(new Event('input')); }
    }

    // set makes the text another one by changing what differs.
    function set(text) {
      const old = field.value;
      let a = 0, b = 0;
      while (a < old.length && a < text.length && old[a] === text[a]) a++;
      while (b < old.length - a && b < text.length - a && old[old.length - 1 - b] === text[text.length - 1 - b]) b++;
      if (a === old.length && a === text.length) return;
      const top = field.scrollTop;
      replace(a, old.length - b, text.slice(a, text.length - b));
      field.scrollTop = top;
    }

    // go puts the cursor at a line and column, from 1; the column counts
    // characters, not units of UTF-16.
    function go(line, column, focus) {
      const lines = field.value.split('\n');
      let at = 0;
      for (let i = 0; i < line - 1 && i < lines.length; i++) at += lines[i].length + 1;
      const chars = [...(lines[line - 1] || '')];
      at += chars.slice(0, Math.max(column - 1, 0)).join('').length;
      if (focus) field.focus({ preventScroll: true });
      field.setSelectionRange(at, at);
      const height = parseFloat(getComputedStyle(field).lineHeight);
      const top = (line - 1) * height;
      if (top < field.scrollTop + height || top > field.scrollTop + field.clientHeight - 3 * height) field.scrollTop = Math.max(0, top - field.clientHeight / 3);
      lineNow();
    }

    field.addEventListener('keydown', function (e) {
      const from = field.selectionStart, to = field.selectionEnd, text = field.value;
      const begin = text.lastIndexOf('\n', from - 1) + 1;
      if (e.key === 'Enter' && !e.ctrlKey && !e.metaKey && !e.isComposing) {
        e.preventDefault();
        const indent = /^[ \t]*/.exec(text.slice(begin, from))[0];
        const opens = /[{[]\s*$/.test(text.slice(begin, from)), closes = /^[ \t]*[}\]]/.test(text.slice(to));
        replace(from, to, '\n' + indent + (opens ? '  ' : '') + (opens && closes ? '\n' + indent : ''));
        if (opens && closes) field.setSelectionRange(from + 1 + indent.length + 2, from + 1 + indent.length + 2);
      } else if (e.key === 'Tab' && !e.shiftKey && root.dataset.tabs !== 'off') {
        e.preventDefault();
        replace(from, to, '  ');
      } else if (e.key === 'Tab' && e.shiftKey && text.slice(begin, begin + 2) === '  ') {
        e.preventDefault();
        replace(begin, begin + 2, '');
        field.setSelectionRange(Math.max(begin, from - 2), Math.max(begin, to - 2));
      } else if (e.key === 'Escape') root.dataset.tabs = 'off'; // Tab leaves the field then
    });
    field.addEventListener('focus', function () { delete root.dataset.tabs; });
    field.addEventListener('input', render);
    field.addEventListener('scroll', scroll, { passive: true });
    document.addEventListener('selectionchange', function () { if (document.activeElement === field) lineNow(); });
    render();
    return { field: field, set: set, go: go, mark: function (list) { problems = list; render(); } };
  }

  return { attach: attach };
})();
