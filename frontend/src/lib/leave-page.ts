/** Goes to another site in this window. A pop-up would break Xero's rules, and people's trust. */
export function leavePageFor(address: string): void {
  const { protocol } = new URL(address)
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new Error(`Refusing to open a ${protocol} address`)
  }
  window.location.assign(address)
}
