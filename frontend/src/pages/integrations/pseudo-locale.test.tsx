import { screen } from '@testing-library/react'
import { HttpResponse } from 'msw'
import { beforeEach, expect, it } from 'vitest'

import { eventful } from '@/testing/activity'
import {
  binding,
  expiring,
  lost,
  narrow,
  refreshed,
  retrying,
  services,
  suspended,
  tenant,
} from '@/testing/fixtures'
import { plainTexts, pseudoMessages } from '@/testing/pseudo-messages'
import { ACME_ADMIN, ACME_MEMBER, CALLBACK_URL, renderWithApp } from '@/testing/render'
import {
  givenActivity,
  givenActivityAnswer,
  givenBindings,
  givenRefresh,
  givenTenants,
  problem,
} from '@/testing/server'

import { IntegrationsPage } from './integrations-page'

// A text that stands in a component, and not in the catalogue, has no accents here.

const { activity, connections, integrations } = pseudoMessages

beforeEach(() => {
  givenActivity(...eventful)
  givenBindings()
})

function show({ at = '/settings/integrations', org = ACME_ADMIN } = {}) {
  return renderWithApp(<IntegrationsPage />, { at, org, messages: pseudoMessages })
}

it.each([
  ['an admin', ACME_ADMIN],
  ['a member', ACME_MEMBER],
])('%s with nothing connected reads texts of the catalogue only', async (_, org) => {
  show({ org })
  await screen.findByText(integrations.nothingConnected)
  expect(plainTexts()).toEqual([])
})

it.each([
  ['an admin', ACME_ADMIN],
  ['a member', ACME_MEMBER],
])('%s with every kind of connection reads texts of the catalogue only', async (_, org) => {
  givenBindings(binding(), services, expiring, retrying, lost, suspended)
  show({ org })
  await screen.findAllByText('Acme Archive Ltd')
  expect(plainTexts()).toEqual([])
})

it('has no text of its own in the question before disconnecting', async () => {
  givenBindings(binding())
  const { user } = show()
  const name = connections.row.disconnectTenant('Acme Trading Ltd')
  await user.click(await screen.findByRole('button', { name }))
  await screen.findByRole('alertdialog')
  expect(plainTexts()).toEqual([])
})

it('has no text of its own in the details', async () => {
  givenBindings(narrow)
  const { user } = show()
  const name = connections.row.detailsOf(narrow.tenantName)
  await user.click(await screen.findByRole('button', { name }))
  for (const tab of [connections.details.inYourService, activity.title]) {
    expect(plainTexts()).toEqual([])
    await user.click(await screen.findByRole('tab', { name: tab }))
  }
  expect(plainTexts()).toEqual([])
})

it('has no text of its own in the activity', async () => {
  const { user } = show()
  await user.click(await screen.findByRole('button', { name: activity.showMore }))
  await screen.findByText(activity.nothingOlder)
  expect(plainTexts()).toEqual([])
})

it('has no text of its own where the activity fails', async () => {
  givenActivityAnswer(problem(403, 'unreachable', 'The service is busy.'))
  show()
  await screen.findByText(activity.notLoaded)
  expect(plainTexts()).toEqual([])
})

it.each(['access_denied', 'flow_expired', 'no_tenants', 'insufficient_scope', 'something_new'])(
  'has no text of its own after %s',
  async (code) => {
    show({ at: `/settings/integrations?error=${code}` })
    await screen.findByText(integrations.nothingConnected)
    expect(screen.getByRole('alert')).toBeVisible()
    expect(plainTexts()).toEqual([])
  },
)

it('has no text of its own in the dialog that chooses', async () => {
  givenTenants([
    tenant({ justAuthorised: true }),
    tenant({ tenantId: 't7', tenantName: 'Acme Services Ltd', availability: 'bound_here' }),
    tenant({ tenantId: 't9', tenantName: 'Globex Ltd', availability: 'unavailable' }),
  ])
  show({ at: CALLBACK_URL })
  await screen.findByText('Globex Ltd')
  expect(plainTexts()).toEqual([])
})

it.each([
  ['succeeds', refreshed({ refreshedCount: 2 })],
  ['has nothing to do', refreshed()],
  [
    'fails for some',
    refreshed({
      success: false,
      refreshedCount: 1,
      errors: [
        { bindingId: lost.id, error: 'reauthorization_required' },
        { bindingId: 'gone', error: 'xero_unavailable' },
      ],
    }),
  ],
  ['has no answer', HttpResponse.error()],
  ['has an answer of a proxy', HttpResponse.html('<!doctype html>', { status: 502 })],
])('has no text of its own in the toast of a refresh that %s', async (_, answer) => {
  givenBindings(lost)
  givenRefresh(answer)
  const { user } = show()
  await user.click(await screen.findByRole('button', { name: connections.refresh.button }))
  await expect.poll(() => document.querySelector('[data-sonner-toast]')).not.toBeNull()
  expect(plainTexts()).toEqual([])
})
