import { screen, within } from '@testing-library/react'
import { beforeEach, describe, expect, it } from 'vitest'

import { binding, demo, offeredDemo as offered } from '@/testing/fixtures'
import { recordRedirects } from '@/testing/redirect'
import { ACME_ADMIN, renderWithApp, CALLBACK_URL } from '@/testing/render'
import {
  givenActivity,
  givenBindings,
  givenDisconnectSucceeds,
  givenSelectSucceeds,
  givenStart,
  givenTenants,
} from '@/testing/server'

import { IntegrationsPage } from './integrations-page'

const redirects = recordRedirects()

beforeEach(() => {
  givenActivity()
})

const show = (org = ACME_ADMIN, at = '/settings/integrations') =>
  renderWithApp(<IntegrationsPage />, { at, org })

const button = (name: string) => screen.findByRole('button', { name })
const chooser = () => screen.findByRole('dialog', { name: 'Select a Xero organisation' })

describe('switching', () => {
  const switchButton = () => button('Switch organisation Acme Trading Ltd')

  it('connects the new one, then offers to disconnect the old', async () => {
    const list = givenBindings(binding())
    givenTenants([offered])
    givenSelectSucceeds(demo, list)
    givenDisconnectSucceeds(list)
    const { user } = show()

    await user.click(await switchButton())
    expect(await chooser()).toHaveAccessibleDescription(/in place of Acme Trading Ltd/)
    await user.click(await screen.findByRole('radio', { name: 'Demo Company (NZ)' }))
    await user.click(await button('Connect organisation'))

    const offer = await screen.findByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' })
    expect(offer).toHaveTextContent('Demo Company (NZ) is connected now.')
    await user.click(within(offer).getByRole('button', { name: 'Disconnect' }))

    expect(await screen.findByRole('listitem', { name: 'Demo Company (NZ)' })).toBeVisible()
    expect(screen.queryByRole('listitem', { name: 'Acme Trading Ltd' })).not.toBeInTheDocument()
  })

  it('continues after a new consent at Xero', async () => {
    const list = givenBindings(binding())
    givenTenants([])
    givenStart()
    const before = show()
    await before.user.click(await switchButton())
    await before.user.click(await button('Sign in to Xero again'))
    await expect.poll(redirects).toHaveLength(1)
    before.unmount()

    givenTenants([{ ...offered, justAuthorised: true }])
    givenSelectSucceeds(demo, list)
    const { user } = show(ACME_ADMIN, CALLBACK_URL)
    await screen.findByRole('radio', { name: 'Demo Company (NZ)' })
    await user.click(await button('Connect organisation'))

    expect(
      await screen.findByRole('alertdialog', { name: 'Disconnect Acme Trading Ltd?' }),
    ).toBeVisible()
  })

  it('ends when the consent is cancelled at Xero', async () => {
    givenBindings(binding())
    givenTenants([])
    givenStart()
    const { user, unmount } = show()
    await user.click(await switchButton())
    await user.click(await button('Sign in to Xero again'))
    await expect.poll(redirects).toHaveLength(1)
    expect(sessionStorage).toHaveLength(1)
    unmount()

    show(ACME_ADMIN, '/settings/integrations?error=access_denied')

    expect(sessionStorage).toHaveLength(0)
  })

  it('ends when the dialog is cancelled', async () => {
    givenBindings(binding())
    givenTenants([])
    givenStart()
    const { user } = show()
    await user.click(await switchButton())
    await user.click(await button('Sign in to Xero again'))
    await expect.poll(redirects).toHaveLength(1)

    await user.click(await button('Cancel'))

    expect(sessionStorage).toHaveLength(0)
  })
})
