import { beforeEach, vi } from 'vitest'

import * as redirect from '@/lib/redirect'

/** Replaces the redirect to Xero in every test of the file; returns the URLs since the test began. */
export function recordRedirects(): () => string[] {
  let urls: string[] = []
  beforeEach(() => {
    urls = []
    vi.spyOn(redirect, 'redirectTo').mockImplementation((url) => void urls.push(url))
  })
  return () => urls
}
