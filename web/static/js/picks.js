// A form whose rows are ticked: ticking all of a page, and how many are ticked.
'use strict';

(function () {
  const form = document.querySelector('form[data-picks]');
  if (!form) return;
  const all = document.getElementById('pick-all');
  const boxes = [...form.querySelectorAll('input[name=id]')];
  const picked = document.getElementById('picked');

  function count() {
    const n = boxes.filter((b) => b.checked).length;
    all.checked = n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
    picked.textContent = n ? n + ' ticked' : '';
  }

  all.addEventListener('change', function () {
    for (const b of boxes) b.checked = all.checked;
    count();
  });
  form.addEventListener('change', count);
  window.addEventListener('pageshow', count); // the browser restores what was ticked
  count();
})();
