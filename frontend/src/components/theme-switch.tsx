import { lazy, Suspense, useState, type ComponentType } from 'react'

import { ThemeButton } from './theme-button'

// Loaded when it is first pressed. Offline, the button stays without a menu.
const ThemeMenu = lazy<ComponentType>(() =>
  import('./theme-menu').catch(() => ({ default: () => <ThemeButton /> })),
)

/** Opens a menu with the light, dark and system theme. */
export function ThemeSwitch() {
  const [pressed, setPressed] = useState(false)
  const button = <ThemeButton aria-haspopup="menu" onClick={() => setPressed(true)} />
  if (!pressed) return button
  return (
    <Suspense fallback={button}>
      <ThemeMenu />
    </Suspense>
  )
}
