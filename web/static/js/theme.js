// Sets the chosen colours before anything is painted.
(function () {
  var root = document.documentElement;
  root.classList.add('js-on');
  try {
    var theme = localStorage.getItem('iap-theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch (e) { /* storage is off: the system's colours hold */ }
})();
