import { screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { offeredDemo as demo, tenant } from '@/testing/fixtures'
import { givenTenants, givenTenantsAnswer, problem } from '@/testing/server'
import { checkbox, connect, renderSelectDialog } from '@/testing/select-dialog'

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
      'the link is damaged',
      problem(422, 'invalid_request', 'query.grantId: not a UUID'),
      'This link is damaged',
    ],
    [
      'the consent has died',
      problem(409, 'reauthorization_required', 'Connect to Xero again.'),
      'This sign-in to Xero no longer works',
    ],
  ])('%s: leads back to Xero', async (_, answer, words) => {
    givenTenantsAnswer(answer)
    const { user, onConsent } = renderSelectDialog()

    expect(await screen.findByText(words)).toBeVisible()
    await user.click(screen.getByRole('button', { name: 'Sign in to Xero again' }))

    expect(onConsent).toHaveBeenCalledOnce()
    expect(connect()).toBeDisabled()
    await expectAccessible()
  })

  it("ignores a colleague's grant when others list tenants", async () => {
    givenTenantsAnswer(problem(404, 'not_found', 'Not found'))
    givenTenants([demo], 'g2')
    renderSelectDialog({ grantIds: ['g1', 'g2'] })

    expect(await checkbox('Demo Company (NZ)')).toBeVisible()
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
  })
})

describe('failed', () => {
  it('says why, and lists them after a retry that works', async () => {
    givenTenantsAnswer(problem(503, 'xero_unavailable', 'Xero is not available.'))
    const { user } = renderSelectDialog()

    expect(await screen.findByRole('alert')).toHaveTextContent('Xero is not available.')
    await expectAccessible()

    givenTenants([tenant()])
    await user.click(screen.getByRole('button', { name: 'Try again' }))

    expect(await checkbox('Acme Trading Ltd')).toBeVisible()
  })
})
