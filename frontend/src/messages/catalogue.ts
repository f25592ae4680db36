import { english } from './english'

/**
 * The catalogue of texts. A text is a string, a string with `{names}` in braces that `Message`
 * replaces by elements, or a function of values for texts that are strings only, such as labels.
 */
export type Messages = typeof english

/** Any part of the catalogue. What a host leaves out stays English. */
export type MessageOverrides = DeepPartial<Messages>

type DeepPartial<Part> = Part extends (...values: never[]) => unknown
  ? Part
  : Part extends object
    ? { [Key in keyof Part]?: DeepPartial<Part[Key]> }
    : Part

/** Returns the English catalogue with the host's texts in place of ours. */
export function mergeMessages(overrides: MessageOverrides | undefined): Messages {
  return overrides ? (merge(english, overrides) as Messages) : english
}

function merge(ours: object, theirs: object): object {
  const merged: Record<string, unknown> = { ...ours }
  for (const [key, replacement] of Object.entries(theirs)) {
    const before = merged[key]
    if (isPart(before) && isPart(replacement)) merged[key] = merge(before, replacement)
    else if (replacement !== undefined) merged[key] = replacement
  }
  return merged
}

function isPart(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
