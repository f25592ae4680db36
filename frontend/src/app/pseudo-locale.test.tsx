import { act, render, screen } from '@testing-library/react'
import { http, HttpResponse } from 'msw'
import { expect, it } from 'vitest'

import { MessagesProvider } from '@/messages'
import { english } from '@/messages/english'
import { givenIssuer, givenRememberedSession, ISSUER } from '@/testing/issuer'
import { plainTexts, pseudoMessages } from '@/testing/pseudo-messages'
import { server } from '@/testing/server'

import { App } from './app'
import html from '../../index.html?raw'

const { app, signIn } = pseudoMessages

// The words that join a list come from the locale, not from the catalogue: Japanese has none.
async function open(path = '/settings/integrations') {
  window.history.replaceState(null, '', path)
  await act(async () =>
    Promise.resolve(
      render(
        <MessagesProvider messages={pseudoMessages} locale="ja">
          <App />
        </MessagesProvider>,
      ),
    ),
  )
}

function givenSandbox() {
  server.use(http.get('*/sandbox.json', () => HttpResponse.json({ sessionIssuer: ISSUER })))
}

it('has no text of its own where sign-in is not configured', async () => {
  server.use(http.get('*/sandbox.json', () => new HttpResponse(null, { status: 404 })))
  await open()
  await screen.findByText(app.notConfigured)
  expect(plainTexts()).toEqual([])
})

it('has no text of its own on the sign-in screen', async () => {
  givenSandbox()
  givenIssuer()
  await open()
  await screen.findByText('Acme admin')
  expect(plainTexts()).toEqual([])
})

it('has no text of its own where people cannot be listed', async () => {
  givenSandbox()
  server.use(http.get(`${ISSUER}/people`, () => HttpResponse.error()))
  await open()
  await screen.findByText(signIn.sandboxUnreachable)
  expect(plainTexts()).toEqual([])
})

it('has no text of its own where an organisation is to be chosen', async () => {
  givenSandbox()
  givenIssuer({ sess_1: 'user_accountant' })
  givenRememberedSession('sess_1', null)
  await open()
  await screen.findByText(app.chooseOrganisationHint)
  expect(plainTexts()).toEqual([])
})

it('has no text of its own where sign-in cannot be reached', async () => {
  givenSandbox()
  server.use(
    http.get(`${ISSUER}/people`, () => HttpResponse.error()),
    http.post(`${ISSUER}/tokens`, () => HttpResponse.error()),
  )
  givenRememberedSession('sess_1', 'org_acme')
  await open()
  await screen.findByText(app.unreachable)
  expect(plainTexts()).toEqual([])
})

it('has no text of its own where there is no page', async () => {
  await open('/elsewhere')
  await screen.findByText(app.notFound)
  expect(plainTexts()).toEqual([])
})

it('has the title of the page in index.html, where a browser reads it first', () => {
  expect(html).toContain(`<title>${english.integrations.title}</title>`)
})
