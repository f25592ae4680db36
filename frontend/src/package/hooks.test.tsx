import { screen } from '@testing-library/react'
import { HttpResponse } from 'msw'
import { expect, it } from 'vitest'

import { event } from '@/testing/activity'
import { binding, refreshed } from '@/testing/fixtures'
import { recordRedirects } from '@/testing/redirect'
import { renderWithApp } from '@/testing/render'
import {
  givenActivity,
  givenBindings,
  givenDisconnectSucceeds,
  givenRefresh,
  givenStart,
  problem,
} from '@/testing/server'

import {
  useConnectXero,
  useDisconnectXero,
  useRefreshXero,
  useXeroActivity,
  useXeroBindings,
  useXeroProblemText,
} from '.'

const redirects = recordRedirects()

function Host() {
  const { bindings } = useXeroBindings()
  const { connect } = useConnectXero()
  const { refresh, result, problem: refreshProblem } = useRefreshXero()
  const { disconnect } = useDisconnectXero()
  const { events } = useXeroActivity()
  const problemText = useXeroProblemText()
  return (
    <>
      <p>
        {bindings?.length ?? 'no'} bindings, {events.length} events
      </p>
      <p>
        {result && `${result.refreshedCount} refreshed`}
        {refreshProblem && problemText(refreshProblem)}
      </p>
      <button onClick={() => connect()}>Connect</button>
      <button onClick={() => connect('b1')}>Reconnect</button>
      <button onClick={refresh}>Refresh</button>
      <button onClick={() => bindings?.[0] && disconnect(bindings[0])}>Disconnect</button>
    </>
  )
}

const press = (name: string) => screen.getByRole('button', { name })

it("gives a host's own components the bindings, the activity and the acts on them", async () => {
  const list = givenBindings(binding())
  givenActivity(event())
  givenRefresh(refreshed({ refreshedCount: 2 }))
  givenDisconnectSucceeds(list)
  const { user } = renderWithApp(<Host />)
  expect(await screen.findByText('1 bindings, 1 events')).toBeVisible()

  await user.click(press('Refresh'))
  expect(await screen.findByText('2 refreshed')).toBeVisible()

  await user.click(press('Disconnect'))
  expect(await screen.findByText('0 bindings, 1 events')).toBeVisible()
})

it('leaves for Xero, also to reconnect a binding', async () => {
  givenBindings()
  givenActivity()
  const starts = givenStart()
  const { user } = renderWithApp(<Host />)

  await user.click(press('Reconnect'))

  await expect.poll(redirects).toHaveLength(1)
  expect(new URL(starts[0]?.url ?? '').searchParams.get('reconnect')).toBe('b1')
})

it('returns the problem of a failed act', async () => {
  givenBindings()
  givenActivity()
  givenRefresh(problem(503, 'service_busy', 'The service is busy.'))
  const { user } = renderWithApp(<Host />)

  await user.click(press('Refresh'))

  expect(await screen.findByText('The service is busy.')).toBeVisible()
})

it("says what failed in the host's texts", async () => {
  givenBindings()
  givenActivity()
  givenRefresh(HttpResponse.html('<!doctype html>', { status: 502 }))
  const messages = { problems: { unexpected_answer: 'Antwort {status}' } }
  const { user } = renderWithApp(<Host />, { messages })

  await user.click(press('Refresh'))

  expect(await screen.findByText('Antwort 502')).toBeVisible()
})
