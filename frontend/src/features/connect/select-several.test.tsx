import { screen, within } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'

import { expectAccessible } from '@/testing/axe'
import { binding, manyTenants } from '@/testing/fixtures'
import { givenTenants, problem, server } from '@/testing/server'
import { checkbox, connect, dialog, names, renderSelectDialog } from '@/testing/select-dialog'

describe('connecting several', () => {
  const branches = manyTenants.slice(0, 3).map((each) => ({ ...each, justAuthorised: true }))
  const answer = (tenantId: string) =>
    HttpResponse.json(binding({ id: `b-${tenantId}`, tenantId }), { status: 201 })
  const refusal = () => problem(409, 'tenant_bound_elsewhere', 'It is connected elsewhere.')

  /** Answers each selection; returns the tenants in the order of the requests. */
  function givenSelections(respond: (tenantId: string) => Response): string[] {
    const asked: string[] = []
    server.use(
      http.post('*/api/integrations/xero/tenants/select', async ({ request }) => {
        const { tenantId } = (await request.json()) as { tenantId: string }
        asked.push(tenantId)
        return respond(tenantId)
      }),
    )
    return asked
  }

  it('sends one request for each, one after the other, and says how many', async () => {
    givenTenants(branches)
    const asked = givenSelections(answer)
    const { user, onConnected } = renderSelectDialog()

    await checkbox('Cardiff Branch Ltd')
    await user.click(connect('Connect 3 organisations'))

    expect(await screen.findByText('3 organisations connected')).toBeInTheDocument()
    expect(asked).toEqual(branches.map(({ tenantId }) => tenantId))
    expect(onConnected).toHaveBeenCalledOnce()
  })

  it('shows the result of each, and tries only what failed again', async () => {
    givenTenants(branches)
    const [, brisbane] = branches
    const first = givenSelections((id) => (id === brisbane?.tenantId ? refusal() : answer(id)))
    const { user, onConnected } = renderSelectDialog()
    await checkbox('Cardiff Branch Ltd')
    await user.click(connect('Connect 3 organisations'))

    expect(await screen.findByRole('alert')).toHaveTextContent('Brisbane Branch Ltd was not')
    expect(await screen.findByText('2 organisations connected')).toBeInTheDocument()
    expect(names()).toEqual([
      expect.stringMatching(/Auckland.*Connected/),
      expect.stringMatching(/Brisbane.*Not connected.*It is connected elsewhere\./),
      expect.stringMatching(/Cardiff.*Connected/),
    ])
    expect(await checkbox('Auckland Branch Ltd')).toBeDisabled()
    expect(within(dialog()).getByRole('button', { name: 'Done' })).toBeVisible()
    expect(onConnected).not.toHaveBeenCalled()
    expect(first).toHaveLength(3)
    await expectAccessible()

    const again = givenSelections(answer)
    await user.click(connect('Connect organisation'))

    await expect.poll(() => onConnected.mock.calls).toHaveLength(1)
    expect(again).toEqual([brisbane?.tenantId])
  })

  it('says how many failed when several did', async () => {
    givenTenants(branches)
    givenSelections(refusal)
    const { user } = renderSelectDialog()
    await checkbox('Cardiff Branch Ltd')
    await user.click(connect('Connect 3 organisations'))

    expect(await screen.findByRole('alert')).toHaveTextContent('3 organisations were not connected')
  })

  it('sends nothing more after the dialog was closed', async () => {
    givenTenants(branches)
    let answerFirst: (response: Response) => void = () => undefined
    const asked: string[] = []
    server.use(
      http.post('*/api/integrations/xero/tenants/select', async ({ request }) => {
        asked.push(((await request.json()) as { tenantId: string }).tenantId)
        return new Promise<Response>((resolve) => (answerFirst = resolve))
      }),
    )
    const { user, unmount, queryClient } = renderSelectDialog()
    await checkbox('Cardiff Branch Ltd')
    await user.click(connect('Connect 3 organisations'))
    await expect.poll(() => asked).toHaveLength(1)

    unmount()
    answerFirst(answer('t1'))

    await expect.poll(() => queryClient.isMutating()).toBe(0)
    expect(asked).toHaveLength(1)
  })
})
