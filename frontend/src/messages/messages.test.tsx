import { render, screen } from '@testing-library/react'
import { expect, it } from 'vitest'

import { plural } from './english/plural'

import { Message, MessagesProvider, useMessages } from '.'

function Texts() {
  const { parts } = useMessages()
  return (
    <p>
      {parts.close} {parts.dismiss}
    </p>
  )
}

it('is English without a provider', () => {
  render(<Texts />)
  expect(screen.getByText('Close Dismiss')).toBeVisible()
})

it('lets a host replace one text and keeps the others', () => {
  render(
    <MessagesProvider messages={{ parts: { close: 'Kati' } }}>
      <Texts />
    </MessagesProvider>,
  )
  expect(screen.getByText('Kati Dismiss')).toBeVisible()
})

it('puts elements where the text names them, in the order of the language', () => {
  const values = { who: <bdi>Ana</bdi>, what: <bdi>Acme</bdi> }
  const { container } = render(
    <>
      <Message text="{who} connected {what}" values={values} />
      {'; '}
      <Message text="{what}: {who} {unknown}" values={values} />
    </>,
  )
  expect(container).toHaveTextContent('Ana connected Acme; Acme: Ana {unknown}')
  expect(container.querySelectorAll('bdi')).toHaveLength(4)
})

it.each([
  [0, '0 tokens'],
  [1, '1 token'],
  [2, '2 tokens'],
])('takes the plural of English for %d', (count, text) => {
  expect(`${count} ${plural(count, { one: 'token', other: 'tokens' })}`).toBe(text)
})
