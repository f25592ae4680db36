// Runs before the first paint. Keep in step with src/lib/theme.ts.
;(function () {
  var chosen = null
  try {
    chosen = localStorage.getItem('theme')
  } catch (error) {
    // Storage may be blocked; the system's theme it is.
  }
  var dark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
