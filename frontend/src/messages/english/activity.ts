export interface ActionTexts {
  /** With `{who}` for the actor and `{what}` for what it was done to. */
  sentence: string
  /** For `{what}` when its name is not known. */
  unnamed?: string
  /** More to say, by outcome. */
  reasons?: Record<string, string>
}

const remote: ActionTexts = {
  sentence: '{who} finished disconnecting at Xero',
  reasons: {
    impossible: 'Access had already ended there.',
    cancelled: 'It was connected again before that.',
  },
}

/** What the service records, by action. */
const actions = {
  'connect.started': { sentence: '{who} went to Xero to connect' },
  'connect.refused': {
    sentence: '{who} came back from Xero without a connection',
    reasons: {
      access_denied: 'Access was not allowed there.',
      flow_expired: 'The attempt took longer than ten minutes.',
      flow_mismatch: 'Another browser had started the attempt.',
      session_mismatch: 'Somebody else, or another organisation, was signed in by then.',
      exchange_failed: 'Xero did not complete the connection.',
      no_tenants: 'No organisation was chosen there.',
      insufficient_scope: 'Xero granted fewer permissions than needed.',
    },
  },
  'grant.connected': { sentence: '{who} signed in to Xero and allowed access' },
  'grant.superseded': { sentence: 'A new sign-in to Xero replaced an earlier one' },
  'grant.unused': { sentence: '{who} gave up a sign-in to Xero that nothing used' },
  'grant.refreshed': {
    sentence: '{who} renewed the tokens of {what}',
    unnamed: 'an earlier sign-in to Xero',
  },
  'grant.refresh_failed': {
    sentence: '{who} could not renew the tokens of {what}',
    unnamed: 'an earlier sign-in to Xero',
    reasons: {
      dead: 'Xero no longer accepted its consent: an admin has to reconnect.',
      xero_unavailable: 'Xero was not answering.',
      xero_rate_limited: 'Xero asked to slow down.',
      xero_misconfigured: "This app's own credentials at Xero were wrong.",
      xero_refused: 'Xero refused the request.',
      service_busy: 'The service was busy.',
    },
  },
  'binding.selected': { sentence: '{who} connected {what}' },
  'binding.reselected': { sentence: '{who} reconnected {what}' },
  'binding.disconnected': { sentence: '{who} disconnected {what}' },
  'binding.suspended': { sentence: '{who} switched {what} off' },
  'binding.resumed': { sentence: '{who} switched {what} on again' },
  'binding.access_lost': { sentence: 'Xero stopped giving access to {what}' },
  'binding.restored': { sentence: 'Xero gives access to {what} again' },
  'remote.revoke': remote,
  'remote.delete_connection': remote,
  'token.issued': { sentence: '{who} got an access token for {what}' },
  'access.denied': {
    sentence: '{who} was turned away',
    reasons: {
      unauthorized: 'Its secret was wrong, or it had expired or been revoked.',
      scope_required: 'It may not do what it asked for.',
      not_found: 'It asked for a connection that this organisation does not have.',
      org_mismatch: 'It asked on behalf of another organisation.',
      binding_suspended: 'The connection was switched off by an operator.',
      grant_shared: 'That token would have opened another organisation, too.',
      tenant_bound_elsewhere: 'That Xero organisation is connected elsewhere.',
      tenant_not_accessible: 'The sign-in to Xero does not reach that organisation.',
    },
  },
  'key.created': {
    sentence: '{who} made the service key {what}',
    unnamed: 'of this organisation',
  },
  'key.revoked': {
    sentence: '{who} revoked the service key {what}',
    unnamed: 'of this organisation',
  },
  'webhook.created': { sentence: '{who} added a receiver of events' },
  'webhook.rotated': { sentence: '{who} replaced the secret of a receiver of events' },
  'webhook.disabled': {
    sentence: '{who} stopped sending events to a receiver',
    reasons: { gone: 'It answered that it wants no more.' },
  },
  'webhook.enabled': { sentence: '{who} started sending events to a receiver' },
  'webhook.redelivered': { sentence: '{who} sent events again' },
  'webhook.tested': { sentence: '{who} sent a test to a receiver of events' },
  'verdicts.held': { sentence: '{who} ended no connection although Xero refused its tokens' },
  'verdicts.released': { sentence: '{who} let connections end again that Xero refuses' },
  'database.restored': { sentence: '{who} renewed all tokens after a backup was restored' },
} satisfies Record<string, ActionTexts>

/** Texts of `features/activity`. */
export const activity = {
  title: 'Activity',
  description:
    'Who connected, used and disconnected what, and how tokens were renewed. Only admins of {org} see it.',
  loading: 'Loading activity',
  notLoaded: 'The activity could not be loaded',
  outOfDate: 'This activity may be out of date',
  olderNotLoaded: 'Older activity could not be loaded',
  empty: 'Nothing has happened yet. What people and services do here will be listed.',
  /** Where the newest events are all of other connections. */
  noneSoFar: 'Nothing lately.',
  showMore: 'Show more',
  nothingOlder: 'Nothing older is on record.',
  shown: (count: string) => `${count} entries are shown.`,
  /** A routine event that occurred several times. */
  repeated: 'Noted {count} times, first {since}.',
  actors: {
    you: 'You',
    colleague: 'A colleague',
    colleagueInXero: (xeroName: string) => `A colleague (${xeroName} in Xero)`,
    serviceKey: (name: string) => `Service key “${name}”`,
    unknownServiceKey: (id: string) => `A service key (${id})`,
    operator: 'An operator',
    anonymous: 'Somebody',
    service: 'The service',
  },
  andOthers: (first: string, others: number) => `${first} and ${others} others`,
  /** Names the reference of an entry that failed, for support. */
  reference: (id: string) => `reference ${id}`,
  organisation: 'a Xero organisation',
  marks: {
    failed: 'Failed',
    cancelled: 'Cancelled',
    accessLost: 'Access lost',
    refused: 'Refused',
  },
  actions: actions as Record<keyof typeof actions, ActionTexts>,
  /** What a newer service records, for which this page has no words. */
  unknownAction: '{who} did something that this page has no words for',
  recordedReason: (outcome: string) => `Recorded reason: ${outcome}.`,
  recordedAs: (action: string) => `Recorded as ${action}.`,
  recordedAsWithOutcome: (action: string, outcome: string) =>
    `Recorded as ${action}, outcome ${outcome}.`,
}
