const own = {
  unreachable: 'The service could not be reached. Check your connection and try again.',
  signed_out: 'Your session has ended. Sign in again to continue.',
  unexpected_answer: 'The service gave an unexpected answer ({status}). Try again in a moment.',
  unexpected_error: 'Something went wrong on this page. Reload it and try again.',
}

/**
 * What failed and what to do, by the code of the problem. A code that is not here shows the
 * service's own sentence, which is English: a host that translates the page adds those it meets.
 */
export const problems: typeof own & Record<string, string> = own
