import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import type { AuthAdapter, Session } from '@/lib/auth'

import { clearSession, loadSession, saveSession } from './stored-session'
import { SessionEndedError, type SandboxIssuer, type SampleUser } from './sandbox-issuer'
import { TokenCache, subjectOf } from './token-cache'

interface OpenSession {
  sessionId: string
  tokens: TokenCache
  user: SampleUser
  orgId: string | null
}

type State =
  | { status: 'loading' }
  | { status: 'unreachable' }
  | { status: 'signed-out'; ended: boolean }
  | { status: 'open'; open: OpenSession }

/** The sandbox's sessions as an `AuthAdapter`. */
export function useSandboxSession(issuer: SandboxIssuer): AuthAdapter {
  const [state, setState] = useState<State>(() =>
    loadSession() ? { status: 'loading' } : { status: 'signed-out', ended: false },
  )
  const tokens = useRef<TokenCache | null>(null)

  const openSession = useCallback((open: OpenSession) => {
    tokens.current = open.tokens
    saveSession({ sessionId: open.sessionId, orgId: open.orgId })
    setState({ status: 'open', open })
  }, [])

  const closeSession = useCallback((ended: boolean) => {
    tokens.current = null
    clearSession()
    setState({ status: 'signed-out', ended })
  }, [])

  useEffect(() => {
    const stored = loadSession()
    if (!stored) return
    let cancelled = false
    restoreSession(issuer, stored.sessionId, stored.orgId).then(
      (open) => !cancelled && openSession(open),
      (error: unknown) => {
        if (cancelled) return
        if (error instanceof SessionEndedError) closeSession(true)
        else setState({ status: 'unreachable' })
      },
    )
    return () => {
      cancelled = true
    }
  }, [issuer, openSession, closeSession])

  const getToken = useCallback<AuthAdapter['getToken']>(
    async (orgId, { fresh = false } = {}) => {
      const cache = tokens.current
      if (!cache) return null
      try {
        return await cache.get(orgId, fresh)
      } catch (error) {
        if (!(error instanceof SessionEndedError)) throw error
        if (tokens.current === cache) closeSession(true)
        return null
      }
    },
    [closeSession],
  )

  return useMemo(() => {
    const open = state.status === 'open' ? state.open : null
    return {
      session: state.status === 'open' ? toSession(state.open) : state,
      orgs: open?.user.orgs ?? [],
      getToken,
      switchOrg: (orgId) => {
        if (open) openSession({ ...open, orgId })
        return Promise.resolve()
      },
      signIn: async (userId) => {
        const people = await issuer.people()
        const user = people.find(({ id }) => id === userId)
        if (!user) throw new Error('There is no such sample person')
        const sessionId = await issuer.signIn(user.id)
        openSession({
          sessionId,
          tokens: new TokenCache(issuer, sessionId),
          user,
          orgId: soleOrgId(user),
        })
      },
      signOut: async () => {
        closeSession(false)
        if (open) await issuer.signOut(open.sessionId)
      },
    }
  }, [state, issuer, getToken, openSession, closeSession])
}

/** Restores the stored session; throws `SessionEndedError` if the issuer no longer knows it. */
async function restoreSession(
  issuer: SandboxIssuer,
  sessionId: string,
  orgId: string | null,
): Promise<OpenSession> {
  const tokens = new TokenCache(issuer, sessionId)
  const [people, token] = await Promise.all([issuer.people(), tokens.get(null, false)])
  const subject = subjectOf(token)
  const user = people.find(({ id }) => id === subject)
  if (!user) throw new SessionEndedError()
  const known = user.orgs.some(({ id }) => id === orgId)
  return { sessionId, tokens, user, orgId: known ? orgId : soleOrgId(user) }
}

function soleOrgId(user: SampleUser): string | null {
  return user.orgs.length === 1 ? (user.orgs[0]?.id ?? null) : null
}

function toSession({ user, orgId }: OpenSession): Session {
  const { id, name, email, orgs } = user
  return {
    status: 'signed-in',
    user: { id, name, email },
    org: orgs.find((org) => org.id === orgId) ?? null,
  }
}
