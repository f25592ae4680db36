import { permissions } from './permissions'
import { plural } from './plural'

/** Texts of `features/connections`: the list, its rows and what can be done with them. */
export const connections = {
  permissions,
  list: {
    label: 'Connections',
    loading: 'Loading connections',
    loadFailed: 'The connections could not be loaded',
    outOfDate: 'This list may be out of date',
    search: 'Search connections',
    noMatch: 'No connection matches your search.',
    found: (count: number) =>
      plural(count, { one: '1 connection matches.', other: `${count} connections match.` }),
    /** "1 of 60 needs you", for admins, who can act. */
    needsYou: (count: number, total: number) =>
      plural(count, { one: `1 of ${total} needs you`, other: `${count} of ${total} need you` }),
    needsAdmin: (count: number, total: number) =>
      plural(count, {
        one: `1 of ${total} needs an admin`,
        other: `${count} of ${total} need an admin`,
      }),
    allWork: (total: number) => `All ${total} connections work`,
    nothingToDo: (total: number) => `None of ${total} needs anything from you`,
  },
  status: {
    active: 'Active',
    needs_reauth: 'Needs attention',
    suspended: 'Suspended',
    revoked: 'Disconnected',
  },
  /** What a row says about its condition. */
  condition: {
    healthy: 'Healthy, renews automatically',
    expiresSoon: 'Refresh token expires soon',
    expired: 'Refresh token has expired',
    expiresToday: 'Refresh token expires today',
    expiresIn: (days: number) =>
      plural(days, {
        one: `Refresh token expires in ${days} day`,
        other: `Refresh token expires in ${days} days`,
      }),
    retrying: 'Last renewal failed, trying again automatically',
    needs_reauth: 'Cannot renew until someone reconnects it',
    permissions_missing: 'Lacks permissions that this app now asks for',
    suspended: 'Switched off by an operator',
    disconnected: 'Disconnected',
  },
  /** Why, and what to do. */
  reason: {
    suspended: 'Services cannot use it until an operator switches it on again.',
    consentEnded:
      'Xero no longer accepts the consent behind this connection: it was withdrawn, or not used for 60 days. Services cannot use it until an admin reconnects it.',
    accessLost:
      'Xero no longer gives access to this organisation: it was disconnected in Xero, or the person who connected it lost access. Services cannot use it until an admin reconnects it.',
    expiring:
      'It should have been renewed by now. Press "Refresh Tokens"; if that fails, reconnect it before the token expires.',
    permissionsMissing: (count: number) =>
      plural(count, {
        one: 'One permission is missing. Calls that need it fail until an admin allows it at Xero; everything else works.',
        other: `${count} permissions are missing. Calls that need them fail until an admin allows them at Xero; everything else works.`,
      }),
  },
  /** Why a refresh failed, by code. */
  refreshErrors: {
    invalid_grant: 'Xero no longer accepts its consent. Reconnect it.',
    reauthorization_required: 'Xero no longer accepts its consent. Reconnect it.',
    tenant_lost: 'Xero no longer gives access to it. Reconnect it.',
    xero_unavailable: 'Xero is not answering. We keep trying; nothing for you to do.',
    xero_rate_limited: 'Xero asks us to slow down. We try again shortly; nothing for you to do.',
    xero_misconfigured:
      "This app's own credentials at Xero are wrong. An operator has to correct them.",
    xero_refused: 'Xero refused the request. We try again shortly.',
    verdict_held:
      'Xero does not accept it at the moment. We are looking into it; nothing for you to do.',
    service_busy: 'The service is busy. We try again shortly.',
    unknown: 'Something went wrong on our side. We try again shortly.',
  },
  refresh: {
    button: 'Refresh Tokens',
    refreshed: (count: number) =>
      plural(count, { one: `${count} token refreshed`, other: `${count} tokens refreshed` }),
    upToDate: 'All tokens are up to date',
    nothingActive: 'No active connection to refresh',
    failed: 'Tokens could not be refreshed',
    partly: (refreshed: string, failed: number) => `${refreshed}, ${failed} failed`,
    /** Which connection failed, and why. */
    failure: '{name}: {reason}',
    lost: (count: number) =>
      plural(count, {
        one: 'Xero no longer gives access to one connection',
        other: `Xero no longer gives access to ${count} connections`,
      }),
    oneConnection: 'One connection',
    /** After the first errors. */
    otherErrors: (count: number) =>
      plural(count, {
        one: 'One other, too. What needs somebody comes first in the list.',
        other: `${count} others, too. What needs somebody comes first in the list.`,
      }),
  },
  row: {
    connectedByOn: 'Connected by {who} on {date}',
    connectedOn: 'Connected on {date}',
    lastUsed: 'Last used {when}',
    notUsed: 'Not used yet',
    checked: 'Checked {when}',
    reconnect: 'Reconnect',
    updatePermissions: 'Update permissions',
    details: 'Details',
    detailsOf: (tenantName: string) => `Details of ${tenantName}`,
    switchOrganisation: 'Switch organisation',
    switchTenant: (tenantName: string) => `Switch organisation ${tenantName}`,
    disconnect: 'Disconnect',
    disconnectTenant: (tenantName: string) => `Disconnect ${tenantName}`,
  },
  details: {
    facts: 'Connection',
    connected: 'Connected',
    byOn: 'By {who} on {date}',
    on: 'On {date}',
    lastUsed: 'Last used',
    lastChecked: 'Checked with Xero',
    notChecked: 'Not yet',
    leftToday: 'Calls left today',
    leftThisMinute: 'Calls left this minute',
    /** Xero says what is left in its answers to calls. */
    unknownUsage: 'Known after a call',
    permissions: 'Permissions',
    granted: 'Allowed at Xero',
    missing: 'Missing',
    inYourService: 'In your service',
    snippet: 'Example',
    snippetHint: 'With a service key, this reads the organisation from Xero:',
  },
  times: {
    lastRefreshed: 'Last refreshed',
    accessTokenExpires: 'Access token expires',
    refreshTokenExpires: 'Refresh token expires',
  },
  disconnect: {
    title: (tenantName: string) => `Disconnect ${tenantName}?`,
    description: 'What uses this connection stops working at once.',
    replacedDescription: (replacedBy: string, tenantName: string) =>
      `${replacedBy} is connected now. If it takes the place of ${tenantName}, disconnect the old one here, once your services use the new bindingId.`,
    noAccess: (tenantName: string) =>
      `Your services can no longer read from ${tenantName} in Xero, nor write to it.`,
    jobsFail: 'Scheduled jobs and syncs that need it fail until it is connected again.',
    nothingDeleted: 'Nothing in Xero is deleted, and an admin can connect it again at any time.',
    cancel: 'Cancel',
    keepBoth: 'Keep both',
    confirm: 'Disconnect',
    failed: (tenantName: string) => `${tenantName} is still connected`,
    done: (tenantName: string) => `${tenantName} disconnected`,
    cleanupPending:
      'Your services can no longer use it. Xero is not answering, so we will disconnect it there later.',
    cleanupImpossible: 'Access had already ended at Xero.',
  },
}
