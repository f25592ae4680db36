/** Opens another site in this window: Xero's rules and its users refuse a pop-up. */
export function redirectTo(url: string): void {
  const { protocol } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new Error(`Refusing to open a ${protocol} URL`)
  }
  window.location.assign(url)
}
