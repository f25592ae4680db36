/** Texts of `features/auth-clerk` and `features/auth-sandbox`. */
export const signIn = {
  signIn: 'Sign in',
  clerkHint: "Sign in to see your organisation's integrations.",
  /** A user of Clerk without a name or an e-mail address. */
  unnamedUser: 'You',
  sandboxHint: 'This is the sandbox: pick a sample person, no password needed.',
  ended: 'Your session has ended',
  endedHint: 'Sign in again to continue.',
  sandboxUnreachable: 'The sandbox cannot be reached',
  sandboxUnreachableHint: 'Check that it is running, then try again.',
  loadingPeople: 'Loading the sample people',
  adminOf: (orgName: string) => `Admin of ${orgName}`,
  memberOf: (orgName: string) => `Member of ${orgName}`,
}
