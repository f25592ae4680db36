import { createContext, useContext, useMemo, type ReactNode } from 'react'

import { mergeMessages, type MessageOverrides, type Messages } from './catalogue'
import { createFormats, type Formats } from './formats'

interface Language {
  messages: Messages
  formats: Formats
}

interface MessagesProviderProps {
  /** Texts in place of ours. Keep the object across renders; give `locale` with another language. */
  messages?: MessageOverrides | undefined
  /** A BCP 47 tag such as `en-NZ`; by default the browser's locale. */
  locale?: string | undefined
  /** An IANA name such as `Pacific/Auckland`; by default the browser's time zone. */
  timeZone?: string | undefined
  children: ReactNode
}

function createLanguage({
  messages: overrides,
  locale,
  timeZone,
}: Omit<MessagesProviderProps, 'children'>): Language {
  const messages = mergeMessages(overrides)
  const formats = createFormats({ locale, timeZone, justNow: messages.parts.justNow })
  return { messages, formats }
}

const LanguageContext = createContext<Language | null>(null)

/** Provides the texts and formats of the components below; without it they are English. */
export function MessagesProvider({ messages, locale, timeZone, children }: MessagesProviderProps) {
  const language = useMemo(
    () => createLanguage({ messages, locale, timeZone }),
    [messages, locale, timeZone],
  )
  return <LanguageContext.Provider value={language}>{children}</LanguageContext.Provider>
}

let fallback: Language | undefined

function useLanguage(): Language {
  return useContext(LanguageContext) ?? (fallback ??= createLanguage({}))
}

export function useMessages(): Messages {
  return useLanguage().messages
}

export function useFormats(): Formats {
  return useLanguage().formats
}
