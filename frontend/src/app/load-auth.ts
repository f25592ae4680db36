import type { AuthModule } from '@/lib/auth'

/** How people sign in to this build; null when nothing says how. */
export async function findAuth(): Promise<AuthModule | null> {
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

/** The host says where the sandbox is; a host that knows nothing of it answers with the page. */
async function sandboxIssuer(): Promise<string | null> {
  try {
    const response = await fetch('/sandbox.json', { headers: { Accept: 'application/json' } })
    const told: unknown = await response.json()
    if (typeof told === 'object' && told !== null && 'sessionIssuer' in told) {
      return String(told.sessionIssuer)
    }
  } catch {
    // Not there, or not JSON.
  }
  return import.meta.env.VITE_SANDBOX_ISSUER ?? null
}
