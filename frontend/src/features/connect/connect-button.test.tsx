import { act, fireEvent, screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { recordRedirects } from '@/testing/redirect'
import { renderWithApp } from '@/testing/render'
import { givenStart, NEVER, problem } from '@/testing/server'

import { ConnectButton } from './connect-button'
import { useConnect } from './use-connect'

const redirects = recordRedirects()

function Page() {
  const { start, pendingTrigger } = useConnect()
  return (
    <main>
      <h1>Integrations</h1>
      <ConnectButton pending={pendingTrigger === 'connect'} onConnect={() => start('connect')} />
    </main>
  )
}

const button = () => screen.getByRole('button', { name: 'Connect Xero' })

it('asks the service to start, cookies included, and goes to Xero in this window', async () => {
  const requests = givenStart()
  const { user } = renderWithApp(<Page />)

  await user.click(button())

  await expect.poll(redirects).toEqual(['https://login.example.com/authorize?state=s'])
  expect(requests).toHaveLength(1)
  expect(requests[0]?.credentials).toBe('include')
  expect(requests[0]?.headers.get('Authorization')).toBe('Bearer session-token')
  expect(requests[0]?.headers.get('Accept')).toBe('application/json')
})

it('spins until the page is left, and starts once', async () => {
  const requests = givenStart()
  const { user } = renderWithApp(<Page />)

  await user.click(button())
  await expect.poll(redirects).toHaveLength(1)
  await user.click(button())

  expect(button()).toHaveAttribute('aria-busy', 'true')
  expect(requests).toHaveLength(1)
  await expectAccessible()
})

it('starts once when two clicks come in one task', async () => {
  const requests = givenStart()
  renderWithApp(<Page />)

  act(() => {
    button().click()
    button().click()
  })

  await expect.poll(redirects).toHaveLength(1)
  expect(requests).toHaveLength(1)
})

it('stops its spinner when "back" restores the page', async () => {
  givenStart()
  const { user } = renderWithApp(<Page />)
  await user.click(button())
  await expect.poll(redirects).toHaveLength(1)

  fireEvent(window, new PageTransitionEvent('pageshow', { persisted: true }))

  await expect.poll(() => button().getAttribute('aria-busy')).toBeNull()
})

it('shows why Xero could not be opened', async () => {
  givenStart(problem(503, 'service_busy', 'The service is busy.'))
  const { user } = renderWithApp(<Page />)

  await user.click(button())

  expect(await screen.findByText('Xero could not be opened')).toBeInTheDocument()
  expect(screen.getByText('The service is busy.')).toBeInTheDocument()
  expect(button()).not.toHaveAttribute('aria-busy')
})

it('waits for the answer', async () => {
  givenStart(NEVER)
  const { user } = renderWithApp(<Page />)

  await user.click(button())

  expect(button()).toHaveAttribute('aria-busy', 'true')
  expect(redirects()).toEqual([])
})
