import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import type { AuthAdapter, Session } from '@/lib/auth'

import { forget, recall, remember } from './remembered-session'
import { SessionEnded, type SandboxIssuer, type SamplePerson } from './sandbox-issuer'
import { SessionTokens, subjectOf } from './session-tokens'

interface Open {
  sessionId: string
  tokens: SessionTokens
  person: SamplePerson
  orgId: string | null
}

type State =
  | { status: 'loading' }
  | { status: 'unreachable' }
  | { status: 'signed-out'; ended: boolean }
  | { status: 'open'; open: Open }

/** The sandbox's sessions as an `AuthAdapter`. */
export function useSandboxSession(issuer: SandboxIssuer): AuthAdapter {
  const [state, setState] = useState<State>(() =>
    recall() ? { status: 'loading' } : { status: 'signed-out', ended: false },
  )
  const tokens = useRef<SessionTokens | null>(null)

  const enter = useCallback((open: Open) => {
    tokens.current = open.tokens
    remember({ sessionId: open.sessionId, orgId: open.orgId })
    setState({ status: 'open', open })
  }, [])

  const leave = useCallback((ended: boolean) => {
    tokens.current = null
    forget()
    setState({ status: 'signed-out', ended })
  }, [])

  useEffect(() => {
    const remembered = recall()
    if (!remembered) return
    let gone = false
    resume(issuer, remembered.sessionId, remembered.orgId).then(
      (open) => !gone && enter(open),
      (error: unknown) => {
        if (gone) return
        if (error instanceof SessionEnded) leave(true)
        else setState({ status: 'unreachable' })
      },
    )
    return () => {
      gone = true
    }
  }, [issuer, enter, leave])

  const getToken = useCallback<AuthAdapter['getToken']>(
    async (orgId, { fresh = false } = {}) => {
      const asked = tokens.current
      if (!asked) return null
      try {
        return await asked.get(orgId, fresh)
      } catch (error) {
        if (!(error instanceof SessionEnded)) throw error
        if (tokens.current === asked) leave(true)
        return null
      }
    },
    [leave],
  )

  return useMemo(() => {
    const open = state.status === 'open' ? state.open : null
    return {
      session: state.status === 'open' ? sessionOf(state.open) : state,
      orgs: open?.person.orgs ?? [],
      getToken,
      switchOrg: (orgId) => {
        if (open) enter({ ...open, orgId })
        return Promise.resolve()
      },
      signIn: async (personId) => {
        const people = await issuer.people()
        const person = people.find(({ id }) => id === personId)
        if (!person) throw new Error('There is no such sample person')
        const sessionId = await issuer.signIn(person.id)
        enter({
          sessionId,
          tokens: new SessionTokens(issuer, sessionId),
          person,
          orgId: onlyOrg(person),
        })
      },
      signOut: async () => {
        leave(false)
        if (open) await issuer.signOut(open.sessionId)
      },
    }
  }, [state, issuer, getToken, enter, leave])
}

/** Finds out whose the remembered session is, if it is still anybody's. */
async function resume(
  issuer: SandboxIssuer,
  sessionId: string,
  orgId: string | null,
): Promise<Open> {
  const tokens = new SessionTokens(issuer, sessionId)
  const [people, token] = await Promise.all([issuer.people(), tokens.get(null, false)])
  const subject = subjectOf(token)
  const person = people.find(({ id }) => id === subject)
  if (!person) throw new SessionEnded()
  const known = person.orgs.some(({ id }) => id === orgId)
  return { sessionId, tokens, person, orgId: known ? orgId : onlyOrg(person) }
}

function onlyOrg(person: SamplePerson): string | null {
  return person.orgs.length === 1 ? (person.orgs[0]?.id ?? null) : null
}

function sessionOf({ person, orgId }: Open): Session {
  const { id, name, email, orgs } = person
  return {
    status: 'signed-in',
    person: { id, name, email },
    org: orgs.find((org) => org.id === orgId) ?? null,
  }
}
