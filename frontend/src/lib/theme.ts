import { useSyncExternalStore } from 'react'

/** Keep in step with public/theme.js, which applies the choice before the first paint. */
export type ThemeChoice = 'system' | 'light' | 'dark'

const KEY = 'theme'
const listeners = new Set<() => void>()

function systemPrefersDark(): MediaQueryList {
  return window.matchMedia('(prefers-color-scheme: dark)')
}

function read(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system'
  }
}

function remember(choice: ThemeChoice): void {
  try {
    if (choice === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, choice)
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
}

function apply(choice: ThemeChoice): void {
  const dark = choice === 'dark' || (choice === 'system' && systemPrefersDark().matches)
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
}

let current: ThemeChoice | undefined

function choice(): ThemeChoice {
  return (current ??= read())
}

function choose(next: ThemeChoice): void {
  current = next
  remember(next)
  apply(next)
  for (const listener of listeners) listener()
}

function subscribe(onChange: () => void): () => void {
  const system = systemPrefersDark()
  const followSystem = () => apply(choice())
  // Another tab changed the theme.
  const followStorage = (event: StorageEvent) => {
    if (event.key !== KEY && event.key !== null) return
    current = read()
    apply(current)
    onChange()
  }
  listeners.add(onChange)
  system.addEventListener('change', followSystem)
  window.addEventListener('storage', followStorage)
  return () => {
    listeners.delete(onChange)
    system.removeEventListener('change', followSystem)
    window.removeEventListener('storage', followStorage)
  }
}

/** Returns the chosen theme and a function that changes it. */
export function useTheme(): { theme: ThemeChoice; choose: (next: ThemeChoice) => void } {
  return { theme: useSyncExternalStore(subscribe, choice), choose }
}
