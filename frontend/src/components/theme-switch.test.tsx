import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { expect, it } from 'vitest'

import { ThemeSwitch } from './theme-switch'

const shown = () => document.documentElement.dataset['theme']

async function choose(name: string) {
  const user = userEvent.setup()
  await user.click(screen.getByRole('button', { name: 'Theme' }))
  await user.click(await screen.findByRole('menuitemradio', { name }))
}

it('applies and stores the chosen theme, and returns to the system theme', async () => {
  render(<ThemeSwitch />)

  await choose('Dark theme')
  expect(shown()).toBe('dark')
  expect(localStorage.getItem('theme')).toBe('dark')

  await choose('Light theme')
  expect(shown()).toBe('light')

  await choose('System theme')
  expect(shown()).toBe('light')
  expect(localStorage.getItem('theme')).toBeNull()
})

it('marks the chosen theme', async () => {
  const user = userEvent.setup()
  render(<ThemeSwitch />)
  await choose('Dark theme')

  await user.click(screen.getByRole('button', { name: 'Theme' }))

  expect(await screen.findByRole('menuitemradio', { checked: true })).toHaveTextContent(
    'Dark theme',
  )
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
