import { screen } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, demo, lost, offeredDemo as offered, services, tenant } from '@/testing/fixtures'
import { recordRedirects } from '@/testing/redirect'
import { ACME_ADMIN, ACME_MEMBER, renderWithApp, CALLBACK_URL } from '@/testing/render'
import {
  givenActivity,
  givenBindings,
  givenBindingsAnswer,
  givenSelectSucceeds,
  givenStart,
  givenTenants,
  givenTenantsAnswer,
  NEVER,
  problem,
} from '@/testing/server'
import { sentence } from '@/testing/sentence'

import { IntegrationsPage } from './integrations-page'

const redirects = recordRedirects()

beforeEach(() => {
  givenActivity()
})

const show = (org = ACME_ADMIN, at = '/settings/integrations') =>
  renderWithApp(<IntegrationsPage />, { at, org })

const button = (name: string) => screen.findByRole('button', { name })
const chooser = () => screen.findByRole('dialog', { name: 'Select a Xero organisation' })
const focused = () => document.activeElement

describe('an admin', () => {
  it('with nothing connected sees what connecting does, and can connect', async () => {
    givenBindings()
    givenStart()
    const { user } = show()

    expect(screen.getByRole('heading', { level: 1, name: 'Integrations' })).toBeVisible()
    expect(await screen.findByText(sentence('Sign in to Xero once and bind as many'))).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Refresh Tokens' })).not.toBeInTheDocument()
    await expectAccessible()

    await user.click(await button('Connect Xero'))
    await expect.poll(redirects).toHaveLength(1)
  })

  it('sees each button once', async () => {
    givenBindings(binding(), services)
    show()

    await screen.findByRole('listitem', { name: 'Acme Trading Ltd' })
    for (const name of [
      'Refresh Tokens',
      'Connect Xero',
      'Disconnect Acme Trading Ltd',
      'Disconnect Acme Services Ltd',
    ]) {
      expect(screen.getByRole('button', { name })).toBeVisible()
    }
    await expectAccessible()
  })

  it('sees placeholders while the list loads', async () => {
    givenBindingsAnswer(NEVER)
    show()

    expect(screen.getByRole('status', { name: 'Loading connections' })).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Connect Xero' })).not.toBeInTheDocument()
    await expectAccessible()
  })

  it('reconnects at Xero', async () => {
    givenBindings(lost)
    const starts = givenStart()
    const { user } = show()

    await user.click(await button('Reconnect'))

    await expect.poll(redirects).toHaveLength(1)
    expect(starts).toHaveLength(1)
    expect(await button('Reconnect')).toHaveAttribute('aria-busy', 'true')
    expect(await button('Connect Xero')).not.toHaveAttribute('aria-busy')
  })
})

describe('a member', () => {
  it('sees everything, may refresh, and sees who can do the rest', async () => {
    givenBindings(binding(), lost)
    show(ACME_MEMBER)

    expect(await screen.findByRole('listitem', { name: 'Acme Exports Ltd' })).toBeVisible()
    expect(await button('Refresh Tokens')).toBeVisible()
    expect(
      screen.getByText(sentence('Only admins of Acme can connect, switch or disconnect')),
    ).toBeVisible()
    for (const name of [/Connect/, /Disconnect/, /Reconnect/, /Switch/]) {
      expect(screen.queryByRole('button', { name })).not.toBeInTheDocument()
    }
    await expectAccessible()
  })

  it('with nothing connected sees whom to ask', async () => {
    givenBindings()
    show(ACME_MEMBER)

    expect(await screen.findByText(sentence('Ask an admin of Acme to connect Xero.'))).toBeVisible()
    expect(screen.queryByRole('button', { name: 'Connect Xero' })).not.toBeInTheDocument()
  })

  it('who opens the link of an admin sees an explanation, without a request to Xero', async () => {
    givenBindings()
    const { user, address } = show(ACME_MEMBER, CALLBACK_URL)

    expect(screen.getByText('An admin has to finish this connection')).toBeVisible()
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    await expectAccessible()

    await user.click(screen.getByRole('button', { name: 'Dismiss' }))
    expect(address()).toBe('/settings/integrations')
  })
})

describe('back from Xero', () => {
  it('connects the selected organisation, clears the URL and focuses the list', async () => {
    const list = givenBindings()
    givenTenants([{ ...offered, justAuthorised: true }])
    givenSelectSucceeds(demo, list)
    const { user, address } = show(ACME_ADMIN, CALLBACK_URL)

    expect(await screen.findByRole('checkbox', { name: 'Demo Company (NZ)' })).toBeChecked()
    await user.click(await button('Connect organisation'))

    expect(await screen.findByText('Demo Company (NZ) connected')).toBeInTheDocument()
    expect(await screen.findByRole('listitem', { name: 'Demo Company (NZ)' })).toBeVisible()
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    expect(address()).toBe('/settings/integrations')
    await expect.poll(focused).toBe(screen.getByRole('heading', { name: 'Xero' }))
  })

  it('changes nothing when the dialog is closed', async () => {
    givenBindings()
    givenTenants([offered])
    const { user, address } = show(ACME_ADMIN, CALLBACK_URL)
    await chooser()

    await user.keyboard('{Escape}')

    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
    expect(address()).toBe('/settings/integrations')
  })

  it('shows the error once, and offers a retry', async () => {
    givenBindings(binding())
    givenStart()
    const { user, address } = show(ACME_ADMIN, '/settings/integrations?error=access_denied')

    expect(screen.getByRole('alert')).toHaveTextContent('You cancelled at Xero')
    expect(address()).toBe('/settings/integrations')

    await user.click(await button('Try again'))
    await expect.poll(redirects).toHaveLength(1)
  })
})

describe('Connect Xero, with something connected', () => {
  it('offers what an existing consent reaches, without a visit to Xero', async () => {
    const list = givenBindings(binding())
    givenTenants([tenant({ availability: 'bound_here' }), offered])
    const bodies = givenSelectSucceeds(demo, list)
    const { user } = show()

    const connect = await button('Connect Xero')
    await user.click(connect)
    expect(await chooser()).toHaveAccessibleDescription(/already reaches these/)
    await user.click(await screen.findByRole('checkbox', { name: 'Demo Company (NZ)' }))
    await user.click(await button('Connect organisation'))

    expect(await screen.findByRole('listitem', { name: 'Demo Company (NZ)' })).toBeVisible()
    expect(bodies).toEqual([{ grantId: binding().grantId, tenantId: 't-demo' }])
    expect(redirects()).toEqual([])
    await expect.poll(focused).toBe(connect)
  })

  it('asks Xero again after a choice, so that it opens Xero when nothing more is in reach', async () => {
    const list = givenBindings()
    const starts = givenStart()
    givenTenants([{ ...offered, justAuthorised: true }])
    givenSelectSucceeds(demo, list)
    const { user } = show(ACME_ADMIN, CALLBACK_URL)
    await screen.findByRole('checkbox', { name: 'Demo Company (NZ)' })
    await user.click(await button('Connect organisation'))
    await screen.findByRole('listitem', { name: 'Demo Company (NZ)' })

    givenTenants([{ ...offered, availability: 'bound_here' }])
    await user.click(await button('Connect Xero'))

    await expect.poll(redirects).toHaveLength(1)
    expect(starts).toHaveLength(1)
  })

  it.each([
    ['reaches nothing more', () => givenTenants([tenant({ availability: 'bound_here' })])],
    ['cannot be asked', () => givenTenantsAnswer(problem(503, 'xero_unavailable', 'No.'))],
  ])('opens Xero where the existing consent %s', async (_, given) => {
    givenBindings(binding())
    given()
    givenStart()
    const { user } = show()

    await user.click(await button('Connect Xero'))

    await expect.poll(redirects).toHaveLength(1)
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument()
  })

  it('opens Xero at once without a live consent', async () => {
    givenBindings(lost)
    givenStart()
    const { user } = show()

    await user.click(await button('Connect Xero'))

    await expect.poll(redirects).toHaveLength(1)
  })
})
