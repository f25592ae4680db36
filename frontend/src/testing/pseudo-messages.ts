import { english } from '@/messages/english'
import type { Messages } from '@/messages'

const PLAIN = 'AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpQqRrSsTtUuVvWwXxYyZz'
const ACCENTED = 'ÀàƁƀĈĉĎďÉéƑƒĜĝĤĥÎîĴĵĶķĹĺṀṁÑñÔôÞþɊɋŔŕŜŝŢţÛûṼṽŴŵẊẋÝýŽž'
const accented = Array.from(ACCENTED)
const accents = new Map(Array.from(PLAIN, (letter, place) => [letter, accented[place] ?? letter]))

function accent(text: string): string {
  return Array.from(text, (letter) => accents.get(letter) ?? letter).join('')
}

/** The text with accents and a third longer, as a translation may be. `{names}` stay. */
function pseudo(text: string): string {
  const parts = text.split(/(\{\w+\})/).map((part) => (part.startsWith('{') ? part : accent(part)))
  return parts.join('') + 'é'.repeat(Math.ceil(text.length / 3))
}

function pseudoPart(part: unknown): unknown {
  if (typeof part === 'string') return pseudo(part)
  if (typeof part === 'function') {
    return (...values: unknown[]) => pseudoPart((part as (...of: unknown[]) => unknown)(...values))
  }
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, pseudoPart(value)]))
}

/** A catalogue in which every text shows that it came from the catalogue. */
export const pseudoMessages = pseudoPart(english) as Messages

/** What is not a text: names of people and organisations and their initials, times, codes, the service's sentences. */
const DATA = 'bdi, option, time, code, [lang], [data-slot=avatar-fallback], script, style'
const LABELS = ['aria-label', 'title', 'placeholder', 'alt']

/** Returns the texts and labels of the page that came from no catalogue. */
export function plainTexts(): string[] {
  const found: string[] = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent ?? ''
    if (/[A-Za-z]/.test(text) && !walker.currentNode.parentElement?.closest(DATA)) found.push(text)
  }
  for (const element of document.body.querySelectorAll(LABELS.map((name) => `[${name}]`).join())) {
    if (element.closest(DATA)) continue
    for (const name of LABELS) {
      // Sonner adds its key to the label of the toasts.
      const label = element.getAttribute(name)?.replace(/ alt\+T$/, '') ?? ''
      if (/[A-Za-z]/.test(label)) found.push(`${name}: ${label}`)
    }
  }
  return found
}
