import { screen, within } from '@testing-library/react'
import { useRef } from 'react'
import { describe, expect, it, vi } from 'vitest'

import type { Binding } from '@/api/types'
import { expectAccessible } from '@/testing/axe'
import { binding, manyTenants, services, tenant } from '@/testing/fixtures'
import { renderWithApp } from '@/testing/render'
import {
  givenSelectAnswer,
  givenSelectSucceeds,
  givenTenants,
  givenTenantsAnswer,
  NEVER,
  problem,
} from '@/testing/server'

import { SelectOrganisationDialog } from './select-organisation-dialog'

const trading = tenant({ justAuthorised: true })
const demo = tenant({ tenantId: 't-demo', tenantName: 'Demo Company (NZ)' })
const bound = tenant({
  tenantId: services.tenantId,
  tenantName: 'Acme Services Ltd',
  availability: 'bound_here',
  bindingId: services.id,
})
const taken = tenant({
  tenantId: 't-taken',
  tenantName: 'Globex Ltd',
  availability: 'unavailable',
})

interface Options {
  grantIds?: string[]
  afterConsent?: boolean
  replacing?: Binding | null
}

function show({ grantIds = ['g1'], afterConsent = true, replacing = null }: Options = {}) {
  const onClose = vi.fn()
  const onConnected = vi.fn()
  const onConsent = vi.fn()
  const Page = () => (
    <SelectOrganisationDialog
      grantIds={grantIds}
      orgName="Acme"
      afterConsent={afterConsent}
      replacing={replacing}
      onClose={onClose}
      onConnected={onConnected}
      onConsent={onConsent}
      consenting={false}
      fallbackFocus={useRef(null)}
    />
  )
  return { ...renderWithApp(<Page />), onClose, onConnected, onConsent }
}

const dialog = () => screen.getByRole('dialog', { name: 'Select a Xero organisation' })
const radio = (name: string) => screen.findByRole('radio', { name })
const connect = () => within(dialog()).getByRole('button', { name: 'Connect organisation' })
const names = () => screen.getAllByRole('radio').map((each) => each.closest('label')?.textContent)

describe('loading', () => {
  it('says that Xero is being asked', async () => {
    givenTenantsAnswer(NEVER)
    show()

    expect(screen.getByRole('status', { name: 'Asking Xero for your organisations' })).toBeVisible()
    expect(dialog()).toHaveFocus()
    expect(connect()).toBeDisabled()
    await expectAccessible()
  })
})

describe('full', () => {
  it('puts what was just authorised first and marks what is bound', async () => {
    givenTenants([taken, bound, demo, trading])
    show()

    await radio('Acme Trading Ltd')
    expect(names()).toEqual([
      expect.stringContaining('Acme Trading Ltd'),
      expect.stringContaining('Demo Company (NZ)'),
      expect.stringMatching(/Acme Services Ltd.*Connected/),
      expect.stringContaining('Globex Ltd'),
    ])
    await expectAccessible()
  })

  it('preselects the only one that was just authorised', async () => {
    givenTenants([demo, trading])
    show()

    expect(await radio('Acme Trading Ltd')).toBeChecked()
    expect(connect()).toBeEnabled()
  })

  it('preselects nothing when several were, or none', async () => {
    givenTenants([trading, { ...demo, justAuthorised: true }])
    show()

    expect(await radio('Acme Trading Ltd')).not.toBeChecked()
    expect(connect()).toBeDisabled()
  })

  it('calls nothing "just authorised" when no consent has just come back', async () => {
    givenTenants([demo, trading])
    show({ afterConsent: false })

    expect(await radio('Acme Trading Ltd')).not.toBeChecked()
    expect(screen.queryByText('Just authorised')).not.toBeInTheDocument()
  })

  it('explains the unavailable without saying whose they are', async () => {
    givenTenants([taken])
    show()

    const unavailable = await radio('Globex Ltd')
    expect(unavailable).toBeDisabled()
    expect(unavailable).toHaveAccessibleDescription(/^In use elsewhere\./)
  })

  it('lists what several grants reach, each tenant once', async () => {
    givenTenants([trading, demo], 'g1')
    givenTenants([demo, bound], 'g2')
    show({ grantIds: ['g1', 'g2'], afterConsent: false })

    await radio('Acme Services Ltd')
    expect(screen.getAllByRole('radio')).toHaveLength(3)
  })

  it('has no search for eight, and one for more', async () => {
    givenTenants(manyTenants.slice(0, 8))
    const { unmount } = show()
    await radio('Auckland Branch Ltd')
    expect(screen.queryByRole('searchbox')).not.toBeInTheDocument()
    unmount()

    givenTenants(manyTenants)
    const { user } = show()
    const search = await screen.findByRole('searchbox', { name: 'Search organisations' })
    await user.click(await radio('Jersey Branch Ltd'))
    await user.type(search, 'dUn')

    // What is chosen stays in sight.
    expect(names()).toEqual([expect.stringContaining('Dunedin'), expect.stringContaining('Jersey')])
    await expectAccessible()
  })

  it('says so when a search finds nothing', async () => {
    givenTenants(manyTenants)
    const { user } = show()

    await user.type(await screen.findByRole('searchbox'), 'zzz')

    expect(screen.getByText('No organisation matches your search.')).toBeVisible()
  })
})

describe('connecting', () => {
  it('sends what was chosen and the grant that reaches it', async () => {
    givenTenants([trading], 'g1')
    givenTenants([demo], 'g2')
    const bodies = givenSelectSucceeds(binding({ tenantName: 'Demo Company (NZ)' }))
    const { user, onConnected } = show({ grantIds: ['g1', 'g2'] })

    await user.click(await radio('Demo Company (NZ)'))
    await user.click(connect())

    expect(await screen.findByText('Demo Company (NZ) connected')).toBeInTheDocument()
    expect(bodies).toEqual([{ grantId: 'g2', tenantId: 't-demo' }])
    expect(onConnected).toHaveBeenCalledOnce()
  })

  it('calls it "reconnected" where it was bound before', async () => {
    givenTenants([bound])
    givenSelectSucceeds(services)
    const { user } = show()

    await user.click(await radio('Acme Services Ltd'))
    await user.click(connect())

    expect(await screen.findByText('Acme Services Ltd reconnected')).toBeInTheDocument()
  })

  it.each([
    [409, 'tenant_bound_elsewhere', 'This Xero organisation is connected elsewhere.'],
    [422, 'tenant_not_accessible', 'Your consent at Xero does not reach this organisation.'],
    [503, 'xero_unavailable', 'Xero is not available.'],
  ])('says why it failed (%s %s) and lets another be chosen', async (status, code, detail) => {
    givenTenants([trading, demo])
    givenSelectAnswer(problem(status, code, detail))
    const { user, onConnected } = show()

    await radio('Acme Trading Ltd')
    await user.click(connect())

    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('Acme Trading Ltd was not connected')
    expect(alert).toHaveTextContent(detail)
    expect(onConnected).not.toHaveBeenCalled()
    await expectAccessible()

    await user.click(await radio('Demo Company (NZ)'))
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
  })

  it('names what a switch replaces', async () => {
    givenTenants([demo])
    show({ replacing: binding(), afterConsent: false })

    await radio('Demo Company (NZ)')
    expect(dialog()).toHaveAccessibleDescription(/in place of Acme Trading Ltd/)
  })
})

describe('nothing to choose', () => {
  it.each([
    [
      'the consent reaches nothing',
      { grantId: 'g1', tenants: [] },
      'This sign-in to Xero reaches no organisation',
    ],
    [
      "the consent is somebody else's",
      problem(404, 'not_found', 'Not found'),
      "This sign-in to Xero is not Acme's",
    ],
    [
      'the consent has died',
      problem(409, 'reauthorization_required', 'Connect to Xero again.'),
      'This sign-in to Xero no longer works',
    ],
  ])('%s: leads back to Xero', async (_, answer, words) => {
    givenTenantsAnswer(answer)
    const { user, onConsent } = show()

    expect(await screen.findByText(words)).toBeVisible()
    await user.click(screen.getByRole('button', { name: 'Sign in to Xero again' }))

    expect(onConsent).toHaveBeenCalledOnce()
    expect(connect()).toBeDisabled()
    await expectAccessible()
  })

  it("lists the others when one of several consents is a colleague's", async () => {
    givenTenantsAnswer(problem(404, 'not_found', 'Not found'))
    givenTenants([demo], 'g2')
    show({ grantIds: ['g1', 'g2'] })

    expect(await radio('Demo Company (NZ)')).toBeVisible()
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
  })
})

describe('failed', () => {
  it('says why, and lists them after a retry that works', async () => {
    givenTenantsAnswer(problem(503, 'xero_unavailable', 'Xero is not available.'))
    const { user } = show()

    expect(await screen.findByRole('alert')).toHaveTextContent('Xero is not available.')
    await expectAccessible()

    givenTenants([trading])
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await radio('Acme Trading Ltd')).toBeVisible()
  })
})

it('closes without a choice', async () => {
  givenTenants([trading])
  const { user, onClose } = show()
  await radio('Acme Trading Ltd')

  await user.click(screen.getByRole('button', { name: 'Cancel' }))

  expect(onClose).toHaveBeenCalledOnce()
})
