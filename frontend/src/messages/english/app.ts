/** Texts of `app`: the page around the connections. */
export const app = {
  settings: 'Settings',
  loading: 'Loading',
  signOut: 'Sign out',
  organisation: 'Organisation',
  chooseOrganisation: 'Choose an organisation',
  chooseOrganisationHint:
    'Connections belong to an organisation. Choose one to see its connections.',
  noOrganisation: 'You do not belong to an organisation',
  noOrganisationHint: 'Connections belong to an organisation. Ask an admin to invite you to one.',
  roles: { admin: 'Admin', member: 'Member' },
  notConfigured: 'Sign-in is not configured',
  notConfiguredHint: 'No identity provider is configured for this page.',
  notConfiguredSteps:
    "Build it with {variable} for Clerk, or serve a {file} beside it that names the sandbox's session issuer.",
  notFound: 'Page not found',
  notFoundHint: 'There is no page at this address.',
  goToIntegrations: 'Go to integrations',
  broken: 'This page broke',
  brokenHint: 'Reload it to continue.',
  reload: 'Reload',
  unreachable: 'Sign-in cannot be reached',
  unreachableReason: 'We could not find out whether you are signed in',
  unreachableHint: 'Check your connection and try again.',
}
