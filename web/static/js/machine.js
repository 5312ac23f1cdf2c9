// Says as one types whether an input is JSON.
'use strict';

(function () {
  const field = document.querySelector('textarea[data-check]');
  if (!field) return;
  const problem = document.getElementById(field.getAttribute('aria-describedby'));
  let timer = 0;

  async function check() {
    const text = field.value;
    if (!text.trim()) return say('');
    try {
      const r = await fetch(field.dataset.check, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ input: text }) });
      if (r.ok && field.value === text) say((await r.json()).problem);
    } catch (e) { /* Start says it */ }
  }

  function say(text) {
    problem.textContent = text;
    field.toggleAttribute('aria-invalid', Boolean(text));
  }

  field.addEventListener('input', function () { clearTimeout(timer); timer = setTimeout(check, 200); });
})();
