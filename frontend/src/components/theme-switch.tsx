import { Monitor, Moon, Sun } from 'lucide-react'

import { useTheme, type ThemeChoice } from '@/lib/theme'
import { useMessages } from '@/messages'

const choices: {
  value: ThemeChoice
  label: 'systemTheme' | 'lightTheme' | 'darkTheme'
  icon: typeof Sun
}[] = [
  { value: 'system', label: 'systemTheme', icon: Monitor },
  { value: 'light', label: 'lightTheme', icon: Sun },
  { value: 'dark', label: 'darkTheme', icon: Moon },
]

/** Radio buttons for the light, dark or system theme. */
export function ThemeSwitch() {
  const { theme, choose } = useTheme()
  const { parts } = useMessages()
  return (
    <fieldset className="flex shrink-0 rounded-full border border-border bg-card p-0.5">
      <legend className="sr-only">{parts.theme}</legend>
      {choices.map(({ value, label, icon: Icon }) => (
        <label
          key={value}
          title={parts[label]}
          className="flex size-7 items-center justify-center rounded-full text-muted-foreground transition-colors hover:text-foreground has-checked:bg-muted has-checked:text-foreground has-focus-visible:outline-2 has-focus-visible:outline-ring forced-colors:has-checked:bg-[Highlight] forced-colors:has-checked:text-[HighlightText] forced-colors:has-checked:forced-color-adjust-none"
        >
          <input
            type="radio"
            name="theme"
            className="sr-only"
            checked={theme === value}
            onChange={() => choose(value)}
          />
          <Icon aria-hidden className="size-3.5" />
          <span className="sr-only">{parts[label]}</span>
        </label>
      ))}
    </fieldset>
  )
}
