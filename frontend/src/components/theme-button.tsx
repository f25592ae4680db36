import { Monitor, Moon, Sun } from 'lucide-react'
import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { useTheme } from '@/lib/theme'
import { useMessages } from '@/messages'

import { Button } from './ui/button'

/** The symbol of each theme. */
export const THEME_ICONS = { light: Sun, dark: Moon, system: Monitor }

/** The button of the theme's menu, with the symbol of the chosen theme. */
export const ThemeButton = forwardRef<HTMLButtonElement, ComponentPropsWithoutRef<'button'>>(
  function ThemeButton(props, ref) {
    const { theme } = useTheme()
    const { parts } = useMessages()
    const Icon = THEME_ICONS[theme]
    return (
      <Button
        ref={ref}
        variant="ghost"
        size="icon"
        aria-label={parts.theme}
        title={parts.theme}
        {...props}
      >
        <Icon aria-hidden />
      </Button>
    )
  },
)
