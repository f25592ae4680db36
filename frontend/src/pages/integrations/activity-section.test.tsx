import { screen, within } from '@testing-library/react'
import { expect, it } from 'vitest'

import type { Binding } from '@/api/types'
import { event, inOrder } from '@/testing/activity'
import { expectAccessible } from '@/testing/axe'
import { binding, demo, offeredDemo, refreshed } from '@/testing/fixtures'
import { ACME_ADMIN, ACME_MEMBER, renderWithApp, CALLBACK_URL } from '@/testing/render'
import {
  givenActivity,
  givenActivityAnswer,
  givenBindings,
  givenDisconnectSucceeds,
  givenRefresh,
  givenSelectSucceeds,
  givenTenants,
  problem,
} from '@/testing/server'

import { IntegrationsPage } from './integrations-page'

const show = (org = ACME_ADMIN, at = '/settings/integrations') =>
  renderWithApp(<IntegrationsPage />, { at, org })

const button = (name: string) => screen.findByRole('button', { name })
const line = (text: RegExp | string) => screen.findByText(text, { selector: 'ol *' })
const selected = ({ id, grantId, tenantId }: Binding) =>
  event({ bindingId: id, grantId, tenantId, detail: { created: true } })

it('an admin sees the activity below the connections', async () => {
  givenBindings(binding())
  givenActivity(event())
  show()

  const section = await screen.findByRole('region', { name: 'Activity' })
  expect(within(section).getByRole('heading', { level: 2, name: 'Activity' })).toBeVisible()
  expect(await within(section).findByText(/You connected/)).toBeVisible()
  await expectAccessible()
})

it('a member sees no activity, and the page does not request it', async () => {
  givenBindings(binding())
  const asked = givenActivity(event())
  show(ACME_MEMBER)

  await screen.findByRole('listitem', { name: 'Acme Trading Ltd' })
  expect(screen.queryByText('Activity')).not.toBeInTheDocument()
  expect(asked).toEqual([])
})

it('a failure of the activity leaves the rest of the page working', async () => {
  const list = givenBindings(binding())
  givenActivityAnswer(problem(503, 'service_busy', 'The service is busy.'))
  givenDisconnectSucceeds(list)
  const { user } = show()
  await screen.findByText('The activity could not be loaded')

  await user.click(await button('Disconnect Acme Trading Ltd'))
  const dialog = await screen.findByRole('alertdialog')
  await user.click(within(dialog).getByRole('button', { name: 'Disconnect' }))

  expect(await screen.findByText('No Xero organisation connected')).toBeVisible()
})

it('shows a new connection at once', async () => {
  const list = givenBindings()
  givenActivity()
  givenTenants([{ ...offeredDemo, justAuthorised: true }])
  givenSelectSucceeds(demo, list)
  const { user } = show(ACME_ADMIN, CALLBACK_URL)
  await screen.findByText(/Nothing has happened yet/)

  givenActivity(selected(demo))
  await user.click(await button('Connect organisation'))

  expect(await line('Demo Company (NZ)')).toBeVisible()
})

it('shows a disconnect at once, with the name of the organisation', async () => {
  const list = givenBindings(binding())
  givenActivity(event())
  givenDisconnectSucceeds(list)
  const { user } = show()
  await line(/You connected/)

  givenActivity(...inOrder([{ action: 'binding.disconnected' }, {}]))
  await user.click(await button('Disconnect Acme Trading Ltd'))
  const dialog = await screen.findByRole('alertdialog')
  await user.click(within(dialog).getByRole('button', { name: 'Disconnect' }))

  expect(await line(/You disconnected/)).toBeVisible()
})

it('shows the renewals of "Refresh Tokens"', async () => {
  givenBindings(binding())
  givenActivity()
  givenRefresh(refreshed({ refreshedCount: 1 }))
  const { user } = show()
  await screen.findByText(/Nothing has happened yet/)

  givenActivity(event({ action: 'grant.refreshed', actorKind: 'system', actorId: 'xero-service' }))
  await user.click(await button('Refresh Tokens'))

  expect(await line(/The service renewed the tokens of/)).toBeVisible()
})
