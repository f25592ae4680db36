import { screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, lost, refreshed } from '@/testing/fixtures'
import { renderWithApp } from '@/testing/render'
import { givenBindings, givenRefresh, problem, NEVER } from '@/testing/server'

import { ConnectionList } from './connection-list'
import { RefreshTokensButton } from './refresh-tokens-button'

async function pressed() {
  givenBindings(binding(), lost)
  const app = renderWithApp(
    <main>
      <h1>Integrations</h1>
      <h2>Xero</h2>
      <RefreshTokensButton />
      <ConnectionList actions={null} onDetails={() => undefined} empty={null} />
    </main>,
  )
  await screen.findByRole('listitem', { name: 'Acme Trading Ltd' })
  const button = screen.getByRole('button', { name: 'Refresh Tokens' })
  await app.user.click(button)
  return { ...app, button }
}

it.each([
  [refreshed({ refreshedCount: 2 }), '2 tokens refreshed'],
  [refreshed(), 'All tokens are up to date'],
])('shows how many tokens were refreshed', async (outcome, words) => {
  givenRefresh(outcome)
  await pressed()

  expect(await screen.findByText(words)).toBeInTheDocument()
})

it('asks the service to check at Xero, too', async () => {
  const requests = givenRefresh(refreshed())
  await pressed()

  await expect.poll(() => requests.length).toBe(1)
  expect(await requests[0]?.json()).toEqual({ check: true })
})

it('says that Xero no longer gives access', async () => {
  givenRefresh(
    refreshed({ success: false, errors: [{ bindingId: lost.id, error: 'tenant_lost' }] }),
  )
  await pressed()

  expect(
    await screen.findByText('Xero no longer gives access to one connection'),
  ).toBeInTheDocument()
})

it.each([
  [refreshed({ hasActiveBindings: false }), 'No active connection to refresh', 'info'],
  [refreshed({ refreshedCount: 7 }), '7 tokens refreshed', 'success'],
])('gives no success tick to a refresh that did nothing: %#', async (outcome, words, type) => {
  givenRefresh(outcome)
  await pressed()

  const toast = (await screen.findByText(words)).closest('[data-sonner-toast]')
  expect(toast).toHaveAttribute('data-type', type)
})

it('shows the error of each organisation', async () => {
  givenRefresh(
    refreshed({
      success: false,
      refreshedCount: 1,
      errors: [
        { bindingId: lost.id, error: 'reauthorization_required' },
        { bindingId: 'gone', error: 'xero_unavailable' },
      ],
    }),
  )
  await pressed()

  expect(await screen.findByText('1 token refreshed, 2 failed')).toBeInTheDocument()
  expect(screen.getByText(/Reconnect it\.$/)).toHaveTextContent(
    'Acme Exports Ltd: Xero no longer accepts its consent. Reconnect it.',
  )
  expect(screen.getByText(/keep trying/)).toHaveTextContent(
    'One connection: Xero is not answering.',
  )
  await expectAccessible()
})

it('shows the first errors of many', async () => {
  const errors = Array.from({ length: 199 }, (_, index) => ({
    bindingId: `b${index}`,
    error: 'tenant_lost',
  }))
  givenRefresh(refreshed({ success: false, errors }))
  await pressed()

  expect(
    await screen.findByText('Xero no longer gives access to 199 connections'),
  ).toBeInTheDocument()
  expect(screen.getAllByText(/no longer gives access to it/)).toHaveLength(3)
  expect(screen.getByText(/^196 others, too\./)).toBeInTheDocument()
})

it('shows that the service failed', async () => {
  givenRefresh(problem(503, 'service_busy', 'The service is busy.'))
  await pressed()

  expect(await screen.findByText('Tokens could not be refreshed')).toBeInTheDocument()
  expect(screen.getByText('The service is busy.')).toBeInTheDocument()
})

it('shows a spinner, keeps its name and focus, and sends one request', async () => {
  const requests = givenRefresh(NEVER)
  const { user, button } = await pressed()

  await user.click(button)

  expect(button).toHaveAttribute('aria-busy', 'true')
  expect(button).toHaveAccessibleName('Refresh Tokens')
  expect(button).toHaveFocus()
  await expect.poll(() => requests.length).toBe(1)
  await expectAccessible()
})
