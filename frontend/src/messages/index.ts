export type { MessageOverrides, Messages } from './catalogue'
export type { Formats } from './formats'
export { Message } from './message'
export { MessagesProvider, useFormats, useMessages } from './provider'
