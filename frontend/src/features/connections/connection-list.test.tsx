import { screen, within } from '@testing-library/react'
import { describe, expect, it, vi } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, expiring, lost, retrying, services, suspended } from '@/testing/fixtures'
import { renderWithApp } from '@/testing/render'
import { givenBindings, givenBindingsAnswer, problem, NEVER } from '@/testing/server'

import { ConnectionList } from './connection-list'
import type { ConnectionActions } from './connection-row'

const actions: ConnectionActions = {
  onReconnect: vi.fn(),
  onSwitch: vi.fn(),
  onDisconnect: vi.fn(),
  reconnectingId: null,
}

const show = (forAdmin = true) =>
  renderWithApp(
    <main>
      <h1>Integrations</h1>
      <h2>Xero</h2>
      <ConnectionList actions={forAdmin ? actions : null} empty={<p>Nothing yet</p>} />
    </main>,
  )

const row = (name: string) => screen.findByRole('listitem', { name })

describe('loading', () => {
  it('shows placeholders', async () => {
    givenBindingsAnswer(NEVER)
    show()

    expect(screen.getByRole('status', { name: 'Loading connections' })).toBeVisible()
    await expectAccessible()
  })
})

describe('failed', () => {
  it('says why, gives the reference, and shows the list after a retry that works', async () => {
    givenBindingsAnswer(problem(503, 'service_busy', 'The service is busy.'))
    const { user } = show()

    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('The connections could not be loaded')
    expect(alert).toHaveTextContent('The service is busy.')
    expect(alert).toHaveTextContent('req-1')
    await expectAccessible()

    givenBindings(binding())
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await row('Acme Trading Ltd')).toBeVisible()
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
  })

  it('keeps the list when a later request fails', async () => {
    givenBindings(binding())
    const { queryClient } = show()
    await row('Acme Trading Ltd')

    givenBindingsAnswer(problem(503, 'service_busy', 'The service is busy.'))
    await queryClient.invalidateQueries()

    expect(await screen.findByRole('alert')).toHaveTextContent('This list may be out of date')
    expect(await row('Acme Trading Ltd')).toBeVisible()
  })
})

describe('empty', () => {
  it('leaves the word to the page', async () => {
    givenBindings()
    show()

    expect(await screen.findByText('Nothing yet')).toBeVisible()
  })
})

describe('full', () => {
  it('shows status, health, who connected it and when, and the last use of each connection', async () => {
    givenBindings(binding(), services, expiring, retrying, lost, suspended)
    show()

    const healthy = await row('Acme Trading Ltd')
    expect(healthy).toHaveTextContent('Active')
    expect(healthy).toHaveTextContent('Healthy, renews automatically')
    expect(healthy).toHaveTextContent(/Connected by Acme bookkeeper on \d+ \w+ \d{4}/)
    expect(healthy).toHaveTextContent('Last used 3 minutes ago')
    expect(await row('Acme Services Ltd')).toHaveTextContent('Not used yet')
    expect(await row('Demo Company (NZ)')).toHaveTextContent('Refresh token expires in 12 days')
    expect(await row('Acme Holdings Ltd')).toHaveTextContent('Xero is not answering')
    expect(await row('Acme Exports Ltd')).toHaveTextContent('Needs attention')
    expect(await row('Acme Archive Ltd')).toHaveTextContent('Suspended')
    await expectAccessible()
  })

  it.each([
    ['nobody is known', null, 'Connected on'],
    ['no name', { userId: 'user_1', xeroName: null, xeroEmail: null }, 'Connected on'],
    [
      'only an address is known',
      { userId: 'user_1', xeroName: null, xeroEmail: 'books@example.com' },
      'Connected by books@example.com on',
    ],
  ])('says who connected it as far as it can: %s', async (_, connectedBy, words) => {
    givenBindings(binding({ connectedBy }))
    show()

    expect(await row('Acme Trading Ltd')).toHaveTextContent(words)
  })

  it('shows the exact times on hover and on focus, and hides them on Escape', async () => {
    givenBindings(binding())
    const { user } = show()
    const health = await screen.findByRole('button', { name: 'Healthy, renews automatically' })
    expect(screen.queryByRole('tooltip')).not.toBeInTheDocument()

    await user.hover(health)
    expect(screen.getByRole('tooltip')).toHaveTextContent(/Access token expires .+ \d\d:\d\d:\d\d/)
    await user.unhover(health)
    expect(screen.queryByRole('tooltip')).not.toBeInTheDocument()

    await user.tab()
    expect(health).toHaveFocus()
    expect(screen.getByRole('tooltip')).toHaveTextContent(/Refresh token expires/)
    await expectAccessible()
    await user.keyboard('{Escape}')
    expect(screen.queryByRole('tooltip')).not.toBeInTheDocument()
  })
})

describe('admin', () => {
  it('can reconnect only where a person is needed, and is told why', async () => {
    givenBindings(binding(), lost)
    const { user } = show()

    const needy = await row('Acme Exports Ltd')
    expect(needy).toHaveTextContent('it was withdrawn, or not used for 60 days')
    await user.click(within(needy).getByRole('button', { name: 'Reconnect' }))

    expect(actions.onReconnect).toHaveBeenCalledExactlyOnceWith(lost)
    expect(screen.getAllByRole('button', { name: 'Reconnect' })).toHaveLength(1)
    expect(screen.getByRole('button', { name: 'Reconnect' })).toHaveAccessibleDescription(
      'Acme Exports Ltd',
    )
  })

  it('can switch and disconnect each', async () => {
    givenBindings(binding(), services)
    const { user } = show()

    await user.click(await screen.findByRole('button', { name: 'Disconnect Acme Services Ltd' }))
    expect(actions.onDisconnect).toHaveBeenCalledExactlyOnceWith(services)

    const first = await row('Acme Trading Ltd')
    await user.click(within(first).getByRole('button', { name: 'Switch organisation' }))
    expect(actions.onSwitch).toHaveBeenCalledOnce()
  })
})

describe('member', () => {
  it('sees everything and can change nothing', async () => {
    givenBindings(binding(), lost)
    show(false)

    expect(await row('Acme Exports Ltd')).toHaveTextContent('until an admin reconnects it')
    for (const name of [/Disconnect/, /Reconnect/, /Switch/]) {
      expect(screen.queryByRole('button', { name })).not.toBeInTheDocument()
    }
    await expectAccessible()
  })
})
