import { screen, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { beforeEach, describe, expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { ago, binding, demo, lost, minutes, offeredDemo, services } from '@/testing/fixtures'
import { recordRedirects } from '@/testing/redirect'
import { ACME_ADMIN, ACME_MEMBER, renderWithApp } from '@/testing/render'
import {
  givenActivity,
  givenBindings,
  givenSelectSucceeds,
  givenStart,
  givenTenants,
  server,
} from '@/testing/server'

import { IntegrationsPage } from './integrations-page'

const redirects = recordRedirects()

beforeEach(() => {
  givenActivity()
})

const PAGE = '/settings/integrations'
const show = (search = '', org = ACME_ADMIN) =>
  renderWithApp(<IntegrationsPage />, { at: `${PAGE}${search}`, org })
const button = (name: string) => screen.findByRole('button', { name })
const asked = (requests: Request[]) =>
  requests.map(({ url }) => new URL(url).searchParams.get('reconnect'))

it('"Reconnect" asks for a consent that is meant for the binding', async () => {
  givenBindings(lost)
  const starts = givenStart()
  const { user } = show()

  await user.click(await button('Reconnect'))

  await expect.poll(redirects).toHaveLength(1)
  expect(asked(starts)).toEqual([lost.id])
})

describe('back from Xero', () => {
  it('says what was reconnected, without a dialog', async () => {
    givenBindings(binding(), services)
    const { address } = show(`?action=reconnected&bindingId=${services.id}`)

    expect(await screen.findByText('Acme Services Ltd reconnected')).toBeInTheDocument()
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    await expect.poll(address).toBe(PAGE)
  })

  it('says how many others still need it', async () => {
    givenBindings(binding(), lost)
    show(`?action=reconnected&bindingId=${binding().id}`)

    expect(await screen.findByText('Acme Trading Ltd reconnected')).toBeInTheDocument()
    expect(screen.getByText(/One other connection still needs/)).toBeInTheDocument()
  })

  it('names what the consent does not reach, chooses nothing, and tries again', async () => {
    givenBindings(lost)
    givenTenants([{ ...offeredDemo, justAuthorised: true }])
    const starts = givenStart()
    const { user } = show(`?action=select_tenant&grantId=g1&unreached=${lost.id}`)

    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('Acme Exports Ltd is still not connected')
    expect(alert).toHaveTextContent('last time it was Acme bookkeeper')
    expect(await screen.findByRole('checkbox', { name: 'Demo Company (NZ)' })).not.toBeChecked()
    await expectAccessible()

    await user.click(within(alert).getByRole('button', { name: 'Try again for Acme Exports Ltd' }))

    await expect.poll(redirects).toHaveLength(1)
    expect(asked(starts)).toEqual([lost.id])
  })
})

describe('the link of a mail', () => {
  const LINK = `?reconnect=${lost.id}`

  it('asks, starts the consent of its binding, and is removed from the URL', async () => {
    givenBindings(binding(), lost)
    const starts = givenStart()
    const { user, address } = show(LINK)

    const dialog = await screen.findByRole('dialog', { name: 'Reconnect Acme Exports Ltd?' })
    expect(starts).toEqual([])
    await expectAccessible()
    await user.click(within(dialog).getByRole('button', { name: 'Reconnect' }))

    await expect.poll(redirects).toHaveLength(1)
    expect(asked(starts)).toEqual([lost.id])
    expect(address()).toBe(PAGE)
  })

  it('starts nothing when the question is cancelled', async () => {
    givenBindings(lost)
    const { user, address } = show(LINK)

    await user.click(await button('Cancel'))

    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    expect(address()).toBe(PAGE)
  })

  it('explains a binding that this organisation does not have', async () => {
    givenBindings(binding())
    const { user, address } = show(LINK)

    expect(await screen.findByRole('alert')).toHaveTextContent(
      'There is no such connection in Acme',
    )
    await expectAccessible()
    await user.click(screen.getByRole('button', { name: 'Dismiss' }))
    expect(address()).toBe(PAGE)
  })

  it('tells a member that an admin is needed', async () => {
    givenBindings(lost)
    show(LINK, ACME_MEMBER)

    expect(await screen.findByText('An admin has to finish this connection')).toBeVisible()
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
  })
})

describe('a consent from which nothing was chosen', () => {
  it('is resumed', async () => {
    const list = [binding()]
    server.use(
      http.get('*/api/integrations/xero/bindings', () =>
        HttpResponse.json({
          bindings: list,
          hasActiveBindings: true,
          pending: list.length > 1 ? null : { grantId: 'g9', authorisedAt: ago(minutes(5)) },
        }),
      ),
    )
    givenTenants([{ ...offeredDemo, justAuthorised: true }], 'g9')
    const bodies = givenSelectSucceeds(demo, list)
    const { user } = show()

    expect(await screen.findByText('You have not finished connecting')).toBeVisible()
    expect(screen.getByText(/You signed in to Xero/)).toHaveTextContent('5 minutes ago')
    await expectAccessible()
    await user.click(await button('Finish connecting'))
    expect(await screen.findByRole('checkbox', { name: 'Demo Company (NZ)' })).toBeChecked()
    await user.click(await button('Connect organisation'))

    await expect.poll(() => bodies).toEqual([{ grantId: 'g9', tenantId: 't-demo' }])
    await expect
      .poll(() => screen.queryByText('You have not finished connecting'))
      .not.toBeInTheDocument()
  })
})
