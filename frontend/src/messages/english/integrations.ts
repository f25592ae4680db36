/** Texts of `pages/integrations`. */
export const integrations = {
  title: 'Integrations',
  description: 'What {org} is connected to, and how those connections are doing.',
  xero: 'Xero',
  xeroForAdmins: 'The Xero organisations that your services can use.',
  xeroForMembers:
    'You can see everything and refresh tokens. Only admins of {org} can connect, switch or disconnect.',
  adminRequired: 'An admin has to finish this connection',
  adminRequiredHint: 'Only an admin can choose which Xero organisation {org} uses.',
  nothingConnected: 'No Xero organisation connected',
  nothingConnectedHint:
    'Sign in to Xero once and bind as many of its organisations to {org} as you need. From then on your services always have working access, and nobody has to think about tokens again.',
  askAdmin: 'Ask an admin of {org} to connect Xero.',
}
