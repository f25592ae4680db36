import { plural } from './plural'

/** Texts of `features/connect`: consents at Xero and the choice of organisations. */
export const connect = {
  connectXero: 'Connect Xero',
  xeroNotOpened: 'Xero could not be opened',
  pending: {
    title: 'You have not finished connecting',
    text: 'You signed in to Xero {when} and have not chosen an organisation yet.',
    finish: 'Finish connecting',
  },
  /** The question that the link of a mail asks. */
  reconnect: {
    title: (tenantName: string) => `Reconnect ${tenantName}?`,
    broken: 'Services cannot use this connection until somebody allows access at Xero again.',
    working: (tenantName: string) => `${tenantName} is connected. Reconnecting renews its consent.`,
    hint: (tenantName: string) =>
      `Xero opens next: sign in as somebody who can open ${tenantName} there, and choose it.`,
    lastTime: (xeroUser: string) => `Last time it was ${xeroUser}.`,
    confirm: 'Reconnect',
    cancel: 'Cancel',
  },
  unknownLink: {
    title: 'This link is for a connection that is not here',
    text: (orgName: string) =>
      `There is no such connection in ${orgName}. Switch to the organisation that the link was sent to; if it is this one, the connection was disconnected since.`,
  },
  unreached: {
    title: (tenantName: string) => `${tenantName} is still not connected`,
    hint: (tenantName: string) =>
      `The sign-in to Xero does not reach it. Try again, sign in as somebody who can open ${tenantName} in Xero, and choose it there.`,
    hintWithName: (tenantName: string, xeroUser: string) =>
      `The sign-in to Xero does not reach it. Try again, sign in as somebody who can open ${tenantName} in Xero (last time it was ${xeroUser}), and choose it there.`,
    retry: (tenantName: string) => `Try again for ${tenantName}`,
  },
  select: {
    title: 'Select a Xero organisation',
    description: (orgName: string) =>
      `Choose what to connect to ${orgName}. You can add others afterwards.`,
    switchDescription: (tenantName: string) =>
      `Choose the organisation to use in place of ${tenantName}. It gets a bindingId of its own, which your services have to use from then on.`,
    existingDescription: (orgName: string) =>
      `Your sign-in to Xero already reaches these, so you need not sign in again. Choose what to connect to ${orgName}.`,
    group: 'Xero organisations',
    search: 'Search organisations',
    noMatch: 'No organisation matches your search.',
    loading: 'Asking Xero for your organisations',
    cancel: 'Cancel',
    done: 'Done',
    connect: (count: number) =>
      plural(count, { one: 'Connect organisation', other: `Connect ${count} organisations` }),
    notListed: 'The one you want is not listed?',
    signInAgain: 'Sign in to Xero again',
    nothingReached: 'This sign-in to Xero reaches no organisation',
    nothingElseReached: 'Your sign-in to Xero reaches no other organisation',
    pickThere: 'Sign in to Xero again and pick an organisation there.',
    consentDead: 'This sign-in to Xero no longer works',
    consentDeadHint: 'Xero no longer accepts it. Sign in to Xero again to continue.',
    consentForeign: (orgName: string) => `This sign-in to Xero is not ${orgName}'s`,
    consentForeignHint:
      'It was made for another organisation or by somebody else, or it has ended. Switch to the organisation it was made for, or sign in to Xero again.',
    linkDamaged: 'This link is damaged',
    linkDamagedHint: 'It names no sign-in to Xero. Close this, or sign in to Xero again.',
    listFailed: "Xero's organisations could not be listed",
  },
  tenant: {
    connected: 'Connected',
    notConnected: 'Not connected',
    justAuthorised: 'Just authorised',
    connecting: 'Connecting',
    connectedNow: 'Connected just now',
    available: 'Ready to connect',
    boundHere: 'Already connected here. Choosing it makes it use this sign-in to Xero.',
    unavailable:
      'In use elsewhere. It can be connected in one place at a time: disconnect it there first.',
  },
  result: {
    connected: (tenantName: string) => `${tenantName} connected`,
    reconnected: (tenantName: string) => `${tenantName} reconnected`,
    /** Where the name of the organisation is not known. */
    xeroReconnected: 'Xero reconnected',
    stillBroken: (count: number) =>
      plural(count, {
        one: 'One other connection still needs to be reconnected.',
        other: `${count} other connections still need to be reconnected.`,
      }),
    severalConnected: (count: number) => `${count} organisations connected`,
    failed: (tenantName: string) => `${tenantName} was not connected`,
    severalFailed: (count: number) => `${count} organisations were not connected`,
    severalFailedHint: 'Each says why. Try again, or uncheck them and close.',
  },
  /** Why a consent failed, by the code of the callback: what happened and what to do next. */
  errors: {
    access_denied: {
      title: 'You cancelled at Xero, so nothing was connected.',
      nextStep: 'Connect again when you are ready, and choose "Allow access" at Xero.',
    },
    flow_expired: {
      title: 'The attempt to connect took longer than ten minutes, or was already used.',
      nextStep: 'Start again and finish within ten minutes.',
    },
    flow_mismatch: {
      title: 'This browser did not start that attempt to connect, so it was stopped.',
      nextStep:
        'Start again here and finish in the same browser. If it happens again, allow cookies for this site.',
    },
    session_mismatch: {
      title: 'Somebody else, or another organisation, was signed in when Xero sent you back.',
      nextStep: 'Make sure that you are in the right organisation, then connect again.',
    },
    exchange_failed: {
      title: 'Xero did not complete the connection.',
      nextStep:
        'Try again in a minute. If it keeps failing, ask your operator: the service has recorded why.',
    },
    no_tenants: {
      title: 'You signed in to Xero, but chose no organisation there.',
      nextStep:
        'Connect again and pick an organisation. If none is listed, ask for access to one in Xero.',
    },
    insufficient_scope: {
      title: 'Xero granted fewer permissions than this app needs.',
      nextStep:
        'Connect again and allow all of them. Your role in Xero may limit what you can allow: then ask an adviser or a standard user of the organisation to connect it.',
    },
    unknown: {
      title: 'Connecting to Xero did not work.',
      nextStep: 'Try again. If it keeps failing, ask your operator: the service has recorded why.',
    },
  },
}
