import { useTheme, type ThemeChoice } from '@/lib/theme'
import { useMessages } from '@/messages'

import { THEME_ICONS, ThemeButton } from './theme-button'
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuRadioGroup,
  DropdownMenuRadioItem,
  DropdownMenuTrigger,
} from './ui/dropdown-menu'

const CHOICES = [
  ['light', 'lightTheme'],
  ['dark', 'darkTheme'],
  ['system', 'systemTheme'],
] as const

/** What `ThemeSwitch` loads when it is first pressed: so it is open at first. */
export default function ThemeMenu() {
  const { theme, choose } = useTheme()
  const { parts } = useMessages()
  return (
    <DropdownMenu defaultOpen>
      <DropdownMenuTrigger asChild>
        <ThemeButton />
      </DropdownMenuTrigger>
      <DropdownMenuContent>
        <DropdownMenuRadioGroup
          value={theme}
          onValueChange={(value) => choose(value as ThemeChoice)}
        >
          {CHOICES.map(([value, text]) => {
            const Icon = THEME_ICONS[value]
            return (
              <DropdownMenuRadioItem key={value} value={value}>
                <Icon aria-hidden />
                {parts[text]}
              </DropdownMenuRadioItem>
            )
          })}
        </DropdownMenuRadioGroup>
      </DropdownMenuContent>
    </DropdownMenu>
  )
}
