const rules = new Intl.PluralRules('en')

/** Returns the form of a noun or sentence that English uses with `count`. */
export function plural(count: number, forms: { one: string; other: string }): string {
  return rules.select(count) === 'one' ? forms.one : forms.other
}
