import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { expect, it } from 'vitest'

import { ThemeSwitch } from './theme-switch'

const shown = () => document.documentElement.dataset['theme']

it('applies and stores the chosen theme, and returns to the system theme', async () => {
  const user = userEvent.setup()
  render(<ThemeSwitch />)
  expect(screen.getByRole('radio', { name: 'System theme' })).toBeChecked()

  await user.click(screen.getByRole('radio', { name: 'Dark theme' }))
  expect(shown()).toBe('dark')
  expect(localStorage.getItem('theme')).toBe('dark')

  await user.click(screen.getByRole('radio', { name: 'Light theme' }))
  expect(shown()).toBe('light')

  await user.click(screen.getByRole('radio', { name: 'System theme' }))
  expect(shown()).toBe('light')
  expect(localStorage.getItem('theme')).toBeNull()
})

it('applies the theme that another tab chose, and the system theme when it is cleared', () => {
  render(<ThemeSwitch />)

  localStorage.setItem('theme', 'dark')
  window.dispatchEvent(new StorageEvent('storage', { key: 'theme' }))

  expect(shown()).toBe('dark')

  localStorage.clear()
  window.dispatchEvent(new StorageEvent('storage', { key: null }))

  expect(shown()).toBe('light')
})
