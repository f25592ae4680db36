import type { AuthModule } from '@/lib/auth'

/** Loads the auth implementation that this build or host configures; null if none is. */
export async function loadAuth(): Promise<AuthModule | null> {
  const publishableKey = import.meta.env.VITE_CLERK_PUBLISHABLE_KEY
  if (publishableKey) {
    const { clerkAuth } = await import('@/features/auth-clerk/clerk-auth')
    return clerkAuth(publishableKey)
  }
  const issuer = await sandboxIssuer()
  if (!issuer) return null
  const { sandboxAuth } = await import('@/features/auth-sandbox/sandbox-auth')
  return sandboxAuth(issuer)
}

/** Reads the issuer from /sandbox.json. A host without that file may answer with the page's HTML. */
async function sandboxIssuer(): Promise<string | null> {
  try {
    const response = await fetch('/sandbox.json', { headers: { Accept: 'application/json' } })
    const body: unknown = await response.json()
    if (typeof body === 'object' && body !== null && 'sessionIssuer' in body) {
      return String(body.sessionIssuer)
    }
  } catch {
    // The file does not exist or is not JSON.
  }
  return import.meta.env.VITE_SANDBOX_ISSUER ?? null
}
