/** Texts of `features/xero-token-refresher`. */
export const refresher = {
  refreshed: 'Xero connection refreshed',
  needsAttention: 'Xero connection needs attention',
  openSettings: 'Open settings',
}
