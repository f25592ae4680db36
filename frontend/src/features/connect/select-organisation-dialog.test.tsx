import { act, screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, manyTenants, offeredDemo as demo, services, tenant } from '@/testing/fixtures'
import {
  givenSelectAnswer,
  givenSelectSucceeds,
  givenTenants,
  givenTenantsAnswer,
  NEVER,
  problem,
} from '@/testing/server'
import {
  checkbox,
  connect,
  dialog,
  names,
  radio,
  renderSelectDialog,
} from '@/testing/select-dialog'

const trading = tenant({ justAuthorised: true })
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

describe('loading', () => {
  it('shows that the request to Xero is in progress', async () => {
    givenTenantsAnswer(NEVER)
    renderSelectDialog()

    expect(
      await screen.findByRole('status', { name: 'Asking Xero for your organisations' }),
    ).toBeVisible()
    expect(dialog()).toHaveFocus()
    expect(connect()).toBeDisabled()
    await expectAccessible()
  })
})

describe('full', () => {
  it('puts what was just authorised first and marks what is bound', async () => {
    givenTenants([taken, bound, demo, trading])
    renderSelectDialog()

    await checkbox('Acme Trading Ltd')
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
    renderSelectDialog()

    expect(await checkbox('Acme Trading Ltd')).toBeChecked()
    expect(connect()).toBeEnabled()
  })

  it('preselects all that were just authorised', async () => {
    givenTenants([trading, { ...demo, justAuthorised: true }, bound])
    renderSelectDialog()

    expect(await checkbox('Acme Trading Ltd')).toBeChecked()
    expect(await checkbox('Demo Company (NZ)')).toBeChecked()
    expect(await checkbox('Acme Services Ltd')).not.toBeChecked()
    expect(connect('Connect 2 organisations')).toBeEnabled()
  })

  it('marks nothing as just authorised unless a consent has just completed', async () => {
    givenTenants([demo, trading])
    renderSelectDialog({ afterConsent: false })

    expect(await checkbox('Acme Trading Ltd')).not.toBeChecked()
    expect(screen.queryByText('Just authorised')).not.toBeInTheDocument()
  })

  it('explains an unavailable tenant without naming its organisation', async () => {
    givenTenants([taken])
    renderSelectDialog()

    const unavailable = await checkbox('Globex Ltd')
    expect(unavailable).toBeDisabled()
    expect(unavailable).toHaveAccessibleDescription(/^In use elsewhere\./)
  })

  it('lists what several grants reach, each tenant once', async () => {
    givenTenants([trading, demo], 'g1')
    givenTenants([demo, bound], 'g2')
    renderSelectDialog({ grantIds: ['g1', 'g2'], afterConsent: false })

    await checkbox('Acme Services Ltd')
    expect(screen.getAllByRole('checkbox')).toHaveLength(3)
  })

  it('has no search for eight, and one for more', async () => {
    givenTenants(manyTenants.slice(0, 8))
    const { unmount } = renderSelectDialog()
    await checkbox('Auckland Branch Ltd')
    expect(screen.queryByRole('searchbox')).not.toBeInTheDocument()
    unmount()

    givenTenants(manyTenants)
    const { user } = renderSelectDialog()
    const search = await screen.findByRole('searchbox', { name: 'Search organisations' })
    await user.click(await checkbox('Jersey Branch Ltd'))
    await user.type(search, 'dUn')

    // The selected tenant stays visible.
    expect(names()).toEqual([expect.stringContaining('Dunedin'), expect.stringContaining('Jersey')])
    await expectAccessible()
  })

  it('says so when a search finds nothing', async () => {
    givenTenants(manyTenants)
    const { user } = renderSelectDialog()

    await user.type(await screen.findByRole('searchbox'), 'zzz')

    expect(screen.getByText('No organisation matches your search.')).toBeVisible()
  })
})

describe('connecting', () => {
  it('sends the selected tenant and the grant that reaches it', async () => {
    givenTenants([tenant()], 'g1')
    givenTenants([demo], 'g2')
    const bodies = givenSelectSucceeds(binding({ tenantName: 'Demo Company (NZ)' }))
    const { user, onConnected } = renderSelectDialog({ grantIds: ['g1', 'g2'] })

    await user.click(await checkbox('Demo Company (NZ)'))
    await user.click(connect())

    expect(await screen.findByText('Demo Company (NZ) connected')).toBeInTheDocument()
    expect(bodies).toEqual([{ grantId: 'g2', tenantId: 't-demo' }])
    expect(onConnected).toHaveBeenCalledOnce()
  })

  it('reports a tenant that was bound before as reconnected', async () => {
    givenTenants([bound])
    givenSelectSucceeds(services)
    const { user } = renderSelectDialog()

    await user.click(await checkbox('Acme Services Ltd'))
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
    const { user, onConnected } = renderSelectDialog()

    await checkbox('Acme Trading Ltd')
    await user.click(connect())

    const alert = await screen.findByRole('alert')
    expect(alert).toHaveTextContent('Acme Trading Ltd was not connected')
    expect(alert).toHaveTextContent(detail)
    expect(onConnected).not.toHaveBeenCalled()
    await expectAccessible()

    await user.click(await checkbox('Acme Trading Ltd'))
    expect(screen.queryByRole('alert')).not.toBeInTheDocument()
    expect(connect()).toBeDisabled()
  })

  it('sends one request when two clicks come in one task', async () => {
    givenTenants([trading])
    const bodies = givenSelectSucceeds(binding())
    const { onConnected } = renderSelectDialog()
    await checkbox('Acme Trading Ltd')
    const button = connect()

    act(() => {
      button.click()
      button.click()
    })

    await expect.poll(() => onConnected.mock.calls).toHaveLength(1)
    expect(bodies).toHaveLength(1)
  })
})

describe('a switch', () => {
  it('names the binding that a switch replaces', async () => {
    givenTenants([demo])
    renderSelectDialog({ replacing: binding(), afterConsent: false })

    await radio('Demo Company (NZ)')
    expect(dialog()).toHaveAccessibleDescription(
      /in place of Acme Trading Ltd\. It gets a bindingId of its own/,
    )
  })

  it('offers one choice, without the binding that it replaces', async () => {
    givenTenants([tenant({ availability: 'bound_here' }), demo, taken])
    const { user } = renderSelectDialog({ replacing: binding(), afterConsent: false })

    await user.click(await radio('Demo Company (NZ)'))

    expect(screen.getAllByRole('radio')).toHaveLength(2)
    expect(screen.queryByRole('radio', { name: 'Acme Trading Ltd' })).not.toBeInTheDocument()
    expect(connect()).toBeEnabled()
    await expectAccessible()
  })

  it('leads back to Xero when the consents reach nothing else', async () => {
    givenTenants([tenant({ availability: 'bound_here' })])
    const { user, onConsent } = renderSelectDialog({ replacing: binding(), afterConsent: false })

    await screen.findByText('Your sign-in to Xero reaches no other organisation')
    await user.click(screen.getByRole('button', { name: 'Sign in to Xero again' }))

    expect(onConsent).toHaveBeenCalledOnce()
  })
})

it('closes without a choice', async () => {
  givenTenants([trading])
  const { user, onClose } = renderSelectDialog()
  await checkbox('Acme Trading Ltd')

  await user.click(screen.getByRole('button', { name: 'Cancel' }))

  expect(onClose).toHaveBeenCalledOnce()
})
