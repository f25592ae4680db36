import { screen, within } from '@testing-library/react'
import { describe, expect, it } from 'vitest'

import type { ActivityEvent, Binding } from '@/api/types'
import { event, eventful, inOrder, long, read, renewal } from '@/testing/activity'
import { expectAccessible } from '@/testing/axe'
import { binding, services } from '@/testing/fixtures'
import { renderWithApp } from '@/testing/render'
import {
  givenActivity,
  givenActivityAnswer,
  givenBindings,
  givenBindingsAnswer,
  NEVER,
  problem,
} from '@/testing/server'

import { Activity } from './activity'

const show = () =>
  renderWithApp(
    <main>
      <h1>Integrations</h1>
      <Activity orgName="Acme" />
    </main>,
  )

const list = () => screen.findByRole('list', { name: 'Activity' })
const lines = async () =>
  within(await list())
    .getAllByRole('listitem')
    .map((line) => line.textContent)
const more = () => screen.findByText('Show more')
/** Queries by role are slow in a long list. */
const count = () => document.querySelectorAll('ol > li').length
const busy = () => problem(503, 'service_busy', 'The service is busy.')

async function lineOf(change: Partial<ActivityEvent>, ...bindings: Binding[]) {
  givenBindings(...bindings)
  givenActivity(event(change))
  show()
  return within(await list()).getByRole('listitem')
}

describe('loading', () => {
  it('shows placeholders', async () => {
    givenBindings()
    givenActivityAnswer(NEVER)
    show()

    expect(screen.getByRole('status', { name: 'Loading activity' })).toBeVisible()
    await expectAccessible()
  })
})

describe('empty', () => {
  it('says so', async () => {
    givenBindings()
    givenActivity()
    show()

    expect(await screen.findByText(/Nothing has happened yet/)).toBeVisible()
    expect(screen.queryByRole('button')).not.toBeInTheDocument()
    await expectAccessible()
  })
})

describe('failed', () => {
  it('says why, gives the reference, and shows the list after a retry that works', async () => {
    givenBindings()
    givenActivityAnswer(busy())
    const { user } = show()

    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('The activity could not be loaded')
    expect(alert).toHaveTextContent('The service is busy.')
    expect(alert).toHaveTextContent('req-1')
    await expectAccessible()

    givenActivity(event())
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await lines()).toHaveLength(1)
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
  })

  it('keeps the list when a later request fails', async () => {
    givenBindings()
    givenActivity(event())
    const { queryClient } = show()
    await list()

    givenActivityAnswer(busy())
    await queryClient.invalidateQueries()

    expect(await screen.findByRole('alert')).toHaveTextContent('This activity may be out of date')
    expect(await lines()).toHaveLength(1)
  })

  it('shows the activity without names when only the bindings fail to load', async () => {
    givenBindingsAnswer(busy())
    givenActivity(event())
    show()

    expect(await lines()).toEqual([expect.stringContaining('You connected a Xero organisation')])
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
  })
})

describe('full', () => {
  it('shows the actor, the action, the outcome and the time, newest first', async () => {
    givenBindings(binding())
    givenActivity(...inOrder([{ action: 'binding.disconnected' }, { detail: { created: true } }]))
    show()

    expect(await lines()).toEqual([
      'You disconnected Acme Trading Ltd2 minutes ago',
      'You connected Acme Trading Ltd11 minutes ago',
    ])
    const time = screen.getByText('2 minutes ago')
    expect(time.tagName).toBe('TIME')
    expect(time).toHaveAttribute('title', expect.stringMatching(/\d{4}, \d\d:\d\d:\d\d/))
  })

  it('has a sentence for every kind of event', async () => {
    givenBindings(binding(), services)
    givenActivity(...eventful)
    const { user } = show()
    await user.click(await more())

    expect(await list()).not.toHaveTextContent(/\w\.\w+_?\w*ed(?!\.)|\{who\}|\{what\}|undefined/)
    await expectAccessible()
  })

  it('groups routine events', async () => {
    givenBindings(binding())
    givenActivity(...inOrder([read(), renewal(), read(), renewal(), read(), {}]))
    show()

    expect(await lines()).toEqual([
      expect.stringMatching(
        /^Service key “billing” got an access token for Acme Trading Ltd.*Noted 3 times, first 38 minutes ago\./,
      ),
      expect.stringMatching(/^The service renewed the tokens of Acme Trading Ltd.*Noted 2 times/),
      expect.stringMatching(/^You connected/),
    ])
  })
})

describe('who', () => {
  it.each<[Partial<ActivityEvent>, string]>([
    [{}, 'You '],
    [{ actorId: 'user_2NNEqL2nrIRdJ194ndJqAHwEfxC' }, 'A colleague connected'],
    [{ actorKind: 'service', actorId: 'k', detail: { key: 'billing' } }, 'Service key “billing” '],
    [
      { actorKind: 'service', actorId: 'a0000000-0000-4000-8000-00000000b111' },
      'A service key (…00b111) ',
    ],
    [{ actorKind: 'system', actorId: 'an operator' }, 'An operator '],
    [{ actorKind: 'system', actorId: 'anonymous' }, 'Somebody '],
    [{ actorKind: 'system', actorId: 'xero-service' }, 'The service '],
  ])('names the actor %o', async (actor, name) => {
    expect((await lineOf(actor)).textContent.startsWith(name)).toBe(true)
  })

  it('names a colleague who connected something as Xero does', async () => {
    const theirs = { userId: 'user_2', xeroName: 'Sample accountant', xeroEmail: null }
    const line = await lineOf({ actorId: 'user_2' }, binding({ connectedBy: theirs }))

    expect(line).toHaveTextContent('A colleague (Sample accountant in Xero) connected')
  })

  it('names a service key with the name in another event', async () => {
    givenBindings(binding())
    givenActivity(
      ...inOrder([
        { action: 'binding.disconnected', actorKind: 'service', actorId: 'k1' },
        {
          action: 'key.created',
          actorKind: 'system',
          actorId: 'an operator',
          bindingId: null,
          tenantId: null,
          detail: { keyId: 'k1', name: 'billing', scopes: 'bindings:write' },
        },
      ]),
    )
    show()

    expect(await lines()).toEqual([
      expect.stringContaining('Service key “billing” disconnected Acme Trading Ltd'),
      expect.stringContaining('An operator made the service key billing'),
    ])
  })
})

describe('what', () => {
  it('names a disconnected organisation', async () => {
    const line = await lineOf(
      { action: 'binding.disconnected' },
      binding({ status: 'revoked' }),
      services,
    )

    expect(line).toHaveTextContent('You disconnected Acme Trading Ltd')
  })

  it.each<[string, Binding[]]>([
    ['Acme Trading Ltd', [binding()]],
    ['Acme Trading Ltd and Acme Services Ltd', [binding(), services]],
    ['Acme Trading Ltd and 2 others', [binding(), services, binding({ id: 'b3' })]],
    ['Acme Services Ltd', [binding({ status: 'revoked' }), services]],
    ['Acme Trading Ltd', [binding({ status: 'revoked' })]],
    ['an earlier sign-in to Xero', []],
  ])('of a renewal is every organisation of its grant: %s', async (names, bindings) => {
    const line = await lineOf(renewal(), ...bindings)

    expect(line.textContent).toMatch(new RegExp(`tokens of ${names}\\d`))
  })
})

describe('of a superseded consent', () => {
  it.each<[string, Partial<ActivityEvent>]>([
    ['an event that names a binding', event({ grantId: 'g-old' })],
    [
      'the consent that superseded it',
      renewal({
        action: 'grant.superseded',
        grantId: 'g-old',
        detail: { supersededBy: binding().grantId },
      }),
    ],
  ])('the name comes from %s', async (_, clue) => {
    givenBindings(binding())
    givenActivity(...inOrder([renewal({ grantId: 'g-old' }), clue]))
    show()

    expect((await lines())[0]).toContain('renewed the tokens of Acme Trading Ltd')
  })
})

describe('how it went', () => {
  it('has a reference to copy where it failed', async () => {
    givenBindings()
    givenActivity(...inOrder([{ action: 'binding.access_lost', requestId: 'req-7' }, {}]))
    const { user } = show()

    await user.click(await screen.findByRole('button', { name: 'Copy reference req-7' }))

    expect(await navigator.clipboard.readText()).toBe('req-7')
    expect(screen.getAllByRole('button', { name: /Copy/ })).toHaveLength(1)
  })

  it.each<[Partial<ActivityEvent>, string, string]>([
    [{ action: 'connect.refused', outcome: 'no_tenants' }, 'Failed', 'No organisation was chosen'],
    [{ action: 'connect.refused', outcome: 'access_denied' }, 'Cancelled', 'was not allowed'],
    [{ action: 'grant.refresh_failed', outcome: 'dead' }, 'Failed', 'has to reconnect'],
    [{ action: 'grant.refresh_failed', outcome: 'new_code' }, 'Failed', 'reason: new_code'],
    [{ action: 'binding.access_lost' }, 'Access lost', 'stopped giving access'],
    [{ action: 'access.denied', outcome: 'scope_required' }, 'Refused', 'may not do what'],
  ])('is shown as text: %o', async (change, mark, reason) => {
    const line = await lineOf(change)

    expect(within(line).getByText(mark)).toBeVisible()
    expect(line).toHaveTextContent(reason)
  })

  it.each(['contact.exported', 'constructor', '__proto__'])(
    'of an action that the page does not know is shown with its code: %s',
    async (action) => {
      const line = await lineOf({ action, outcome: 'partly' })

      expect(line).toHaveTextContent('You did something that this page has no words for')
      expect(line).toHaveTextContent(`Recorded as ${action}, outcome partly.`)
    },
  )
})

describe('show more', () => {
  it('loads older pages to the end and keeps the focus', async () => {
    givenBindings(binding())
    const asked = givenActivity(...long)
    const { user } = show()

    expect(await lines()).toHaveLength(10)
    await user.click(await screen.findByRole('button', { name: 'Show more' }))
    expect(count()).toBe(30)
    expect(await more()).toHaveFocus()
    expect(screen.getByText('30 entries are shown.')).toHaveAttribute('role', 'status')
    expect(asked.map(String)).toEqual(['limit=100'])

    for (const shown of [50, 70, 90, 110, 130]) {
      await user.keyboard('{Enter}')
      await expect.poll(count).toBe(shown)
    }
    expect(asked.map(String)).toEqual(['limit=100', 'limit=100&after=31'])
    expect(screen.queryByText('Show more')).not.toBeInTheDocument()
    expect(screen.getByText('Nothing older is on record.')).toHaveFocus()
  })

  it('requests more pages while they hold only renewals and reads', async () => {
    givenBindings(binding())
    const routine = Array.from({ length: 150 }, () => [read(), renewal()]).flat()
    const asked = givenActivity(...inOrder([...routine, {}]))
    show()

    expect(await lines()).toHaveLength(3)
    expect(asked).toHaveLength(4)
  })

  it('shows that older activity failed to load, keeps the list, and retries', async () => {
    givenBindings(binding())
    givenActivity(...long)
    const { user } = show()
    for (let press = 0; press < 4; press += 1) await user.click(await more())

    givenActivityAnswer(busy())
    await user.click(await more())
    const alert = await screen.findByText('Older activity could not be loaded')
    expect(count()).toBe(100)
    expect(await more()).toHaveFocus()

    givenActivity(...long)
    await user.keyboard('{Enter}')
    await expect.poll(count).toBe(130)
    expect(alert).not.toBeInTheDocument()
  })
})
