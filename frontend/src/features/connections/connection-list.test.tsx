import { screen, within } from '@testing-library/react'
import { beforeEach, describe, expect, it, vi } from 'vitest'

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

const onDetails = vi.fn()

beforeEach(() => vi.clearAllMocks())

const show = (forAdmin = true) =>
  renderWithApp(
    <main>
      <h1>Integrations</h1>
      <h2>Xero</h2>
      <ConnectionList
        actions={forAdmin ? actions : null}
        onDetails={onDetails}
        empty={<p>Nothing yet</p>}
      />
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
    expect(await row('Acme Archive Ltd')).not.toHaveTextContent('Healthy')
    expect(healthy).toHaveTextContent('Checked 8 minutes ago')
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

  it('shows the exact times on hover, focus and press, and hides them on Escape and a second press', async () => {
    givenBindings(binding())
    const { user } = show()
    const health = await screen.findByRole('button', { name: 'Healthy, renews automatically' })
    expect(screen.queryByRole('tooltip')).not.toBeInTheDocument()

    await user.hover(health)
    const tooltip = () => screen.findByRole('tooltip')
    expect(await tooltip()).toHaveTextContent(/Access token expires .+ \d\d:\d\d:\d\d/)
    await user.keyboard('{Escape}')
    await expect.poll(() => screen.queryByRole('tooltip')).toBeNull()

    await user.tab()
    expect(health).toHaveFocus()
    expect(await tooltip()).toHaveTextContent(/Refresh token expires/)
    await expectAccessible()
    await user.keyboard('{Escape}')
    await expect.poll(() => screen.queryByRole('tooltip')).toBeNull()
    await user.click(health)
    expect(await tooltip()).toBeVisible()
    await user.click(health)
    await expect.poll(() => screen.queryByRole('tooltip')).toBeNull()
  })
})

describe('many', () => {
  const many = Array.from({ length: 60 }, (_, index) =>
    binding({ id: `b-${index}`, tenantName: `Branch ${index + 1}` }),
  )

  it('says how many need a person, and lists them first', async () => {
    givenBindings(...many, lost)
    show()

    expect(await screen.findByText('1 of 61 needs you')).toBeVisible()
    const [first, second, third] = screen.getAllByRole('listitem')
    expect(first).toHaveAccessibleName('Acme Exports Ltd')
    expect(second).toHaveAccessibleName('Branch 1')
    expect(third).toHaveAccessibleName('Branch 2')
  })

  it.each([
    [[binding(), services], true, 'All 2 connections work'],
    [[binding(), retrying], true, 'None of 2 needs anything from you'],
    [[binding(), lost], false, '1 of 2 needs an admin'],
    [[expiring, lost], true, '2 of 2 need you'],
  ])('sums up: %#', async (bindings, forAdmin, words) => {
    givenBindings(...bindings)
    show(forAdmin)

    expect(await screen.findByText(words)).toBeVisible()
  })

  it('has no summary for one, no search for eight, and a search for nine', async () => {
    givenBindings(binding())
    const one = show()
    await row('Acme Trading Ltd')
    expect(screen.queryByText(/connections work/)).not.toBeInTheDocument()
    one.unmount()

    givenBindings(...many.slice(0, 8))
    const eight = show()
    await row('Branch 8')
    expect(screen.queryByRole('searchbox')).not.toBeInTheDocument()
    eight.unmount()

    givenBindings(...many.slice(0, 9))
    const { user } = show()
    const search = await screen.findByRole('searchbox', { name: 'Search connections' })
    await user.type(search, 'branch 7')
    expect(screen.getAllByRole('listitem')).toHaveLength(1)
    expect(screen.getByText('1 connection matches.')).toHaveAttribute('role', 'status')
    await user.type(search, 'x')
    expect(screen.getByText('No connection matches your search.')).toBeVisible()
    await expectAccessible()
  })
})

describe('admin', () => {
  it('is offered the missing permissions', async () => {
    const narrow = binding({ permissions: { granted: [], missing: ['accounting.invoices'] } })
    givenBindings(narrow)
    const { user } = show()

    const needy = await row('Acme Trading Ltd')
    expect(needy).toHaveTextContent('Lacks permissions that this app now asks for')
    expect(needy).not.toHaveTextContent('Healthy')
    await user.click(within(needy).getByRole('button', { name: 'Update permissions' }))

    expect(actions.onReconnect).toHaveBeenCalledExactlyOnceWith(narrow)
  })

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
    await user.click(
      within(first).getByRole('button', { name: 'Switch organisation Acme Trading Ltd' }),
    )
    expect(actions.onSwitch).toHaveBeenCalledOnce()
  })
})

describe('member', () => {
  it('sees everything, details included, and can change nothing', async () => {
    givenBindings(binding(), lost)
    const { user } = show(false)

    expect(await row('Acme Exports Ltd')).toHaveTextContent('until an admin reconnects it')
    for (const name of [/Disconnect/, /Reconnect/, /Switch/]) {
      expect(screen.queryByRole('button', { name })).not.toBeInTheDocument()
    }
    await expectAccessible()
    await user.click(screen.getByRole('button', { name: 'Details of Acme Exports Ltd' }))
    expect(onDetails).toHaveBeenCalledExactlyOnceWith(lost)
  })
})
