export { XeroTokenRefresher, type RefresherAuth } from './xero-token-refresher'
export type { RefreshOutcome } from './refresh-xero-tokens'
