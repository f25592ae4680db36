import { Fragment, type ReactNode } from 'react'

interface MessageProps {
  /** A text of the catalogue, such as "Connected by {who} on {date}". */
  text: string
  values: Readonly<Record<string, ReactNode>>
}

/** A text with its `{names}` replaced by elements, in the order that the language needs. */
export function Message({ text, values }: MessageProps) {
  const parts = text.split(/(\{\w+\})/)
  const nodes = parts.map((part, place) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    const value = name !== undefined && Object.hasOwn(values, name) ? values[name] : part
    return <Fragment key={place}>{value}</Fragment>
  })
  return <>{nodes}</>
}
