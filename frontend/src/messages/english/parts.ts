/** Texts of the parts in `components`, which any page uses. */
export const parts = {
  close: 'Close',
  dismiss: 'Dismiss',
  copy: (what: string) => `Copy ${what}`,
  copied: (what: string) => `${what} copied`,
  copyFailed: 'Not copied: select and copy it yourself.',
  tryAgain: 'Try again',
  dialogNotLoaded: 'This dialog could not be loaded',
  dialogNotLoadedHint: 'Check your connection, then reload the page.',
  /** Before the request id that support needs. */
  reference: 'Reference {id}',
  /** A moment less than a minute ago. */
  justNow: 'just now',
  theme: 'Theme',
  systemTheme: 'System theme',
  lightTheme: 'Light theme',
  darkTheme: 'Dark theme',
  /** Where an application does not say the organisation's name; stands inside of sentences. */
  yourOrganisation: 'your organisation',
  notifications: 'Notifications',
}
