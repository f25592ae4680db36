import { screen, waitFor, within } from '@testing-library/react'
import { beforeEach, expect, it, vi } from 'vitest'

import { event, inOrder, renewal } from '@/testing/activity'
import { expectAccessible } from '@/testing/axe'
import { binding, narrow, services } from '@/testing/fixtures'
import { recordRedirects } from '@/testing/redirect'
import { ACME_ADMIN, ACME_MEMBER, renderWithApp } from '@/testing/render'
import { givenActivity, givenBindings, givenStart } from '@/testing/server'

import { IntegrationsPage } from './integrations-page'

const redirects = recordRedirects()

beforeEach(() => {
  givenActivity()
})

async function opened(subject = binding(), org = ACME_ADMIN) {
  const app = renderWithApp(<IntegrationsPage />, { org })
  const name = `Details of ${subject.tenantName}`
  const trigger = await screen.findByRole('button', { name })
  await app.user.click(trigger)
  const dialog = await screen.findByRole('dialog', { name })
  const copied = async (what: string) => {
    await app.user.click(within(dialog).getByRole('button', { name: `Copy ${what}` }))
    await within(dialog).findByText(`${what} copied`)
    return navigator.clipboard.readText()
  }
  const openTab = (tab: string) => app.user.click(within(dialog).getByRole('tab', { name: tab }))
  return { ...app, trigger, dialog, copied, openTab }
}

it('copies the ids and says so', async () => {
  givenBindings(binding(), services)
  const { copied } = await opened(services)

  expect(await copied('bindingId')).toBe(services.id)
  expect(await copied('tenantId')).toBe(services.tenantId)
})

it('says so where copying is not possible', async () => {
  givenBindings(binding())
  const { user, dialog } = await opened()
  vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('not allowed'))

  await user.click(within(dialog).getByRole('button', { name: 'Copy tenantId' }))

  expect(await within(dialog).findByText(/Not copied/)).toBeVisible()
})

it('copies an example with the bindingId filled in', async () => {
  givenBindings(binding())
  const { copied, openTab } = await opened()

  await openTab('In your service')

  expect(await copied('Example')).toContain(`/bindings/${binding().id}/api/`)
})

it('says who connected it and when, its use and when Xero was asked', async () => {
  givenBindings(binding())
  const { dialog } = await opened()

  expect(dialog).toHaveTextContent(/ConnectedBy Acme bookkeeper on \d+ \w+ \d{4}/)
  expect(dialog).toHaveTextContent('Last used3 minutes ago')
  expect(dialog).toHaveTextContent('Checked with Xero8 minutes ago')
  expect(dialog).toHaveTextContent('Calls left today4,973')
  expect(dialog).toHaveTextContent('Calls left this minute58')
  await expectAccessible()
})

it('names the permissions, and asks for those that are missing', async () => {
  givenBindings(narrow)
  const starts = givenStart()
  const { user, dialog } = await opened(narrow)
  const items = (name: string) =>
    within(within(dialog).getByRole('list', { name }))
      .getAllByRole('listitem')
      .map(({ textContent }) => textContent)

  expect(items('Missing')).toEqual(['Bank transactions'])
  expect(items('Allowed at Xero')).toEqual([
    'Sign-in',
    'Access after the sign-in',
    'Contacts (read only)',
    'something.new',
  ])
  await user.click(within(dialog).getByRole('button', { name: 'Update permissions' }))

  await expect.poll(redirects).toHaveLength(1)
  expect(starts.map(({ url }) => new URL(url).searchParams.get('reconnect'))).toEqual([narrow.id])
})

it('shows the activity of this connection and of its consent only', async () => {
  givenBindings(binding(), services)
  const ofServices = { bindingId: services.id, tenantId: services.tenantId }
  givenActivity(
    ...inOrder([
      { ...ofServices, action: 'binding.suspended' },
      renewal(),
      event(),
      { ...ofServices, grantId: 'g-other' },
    ]),
  )
  const { dialog, openTab } = await opened()

  await openTab('Activity')

  const lines = within(await within(dialog).findByRole('list', { name: 'Activity' }))
  expect(lines.getAllByRole('listitem').map(({ textContent }) => textContent)).toEqual([
    expect.stringMatching(/^The service renewed the tokens/),
    expect.stringMatching(/^You connected Acme Trading Ltd/),
  ])
})

it('shows members the same without activity and buttons that change something', async () => {
  givenBindings(narrow)
  const { dialog } = await opened(narrow, ACME_MEMBER)

  expect(dialog).toHaveTextContent('Bank transactions')
  expect(within(dialog).queryByText('Activity')).not.toBeInTheDocument()
  expect(within(dialog).queryByRole('button', { name: 'Update permissions' })).toBeNull()
  await expectAccessible()
})

it('closes on Escape and gives the focus back', async () => {
  givenBindings(binding())
  const { user, trigger, dialog } = await opened()

  await user.keyboard('{Escape}')

  expect(dialog).not.toBeInTheDocument()
  await waitFor(() => expect(trigger).toHaveFocus())
})
