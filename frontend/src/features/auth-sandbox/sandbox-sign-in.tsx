import { ChevronRight } from 'lucide-react'
import { useEffect, useId, useState } from 'react'

import { Centered } from '@/components/centered'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/skeleton'
import { Spinner } from '@/components/spinner'
import { useAuth } from '@/lib/auth'

import type { SamplePerson, SandboxIssuer } from './sandbox-issuer'

type People = { status: 'loading' | 'failed' } | { status: 'known'; people: SamplePerson[] }

/** Lists the sample people; one click signs in as one of them. */
export function SandboxSignIn({ issuer }: { issuer: SandboxIssuer }) {
  const auth = useAuth()
  const [people, setPeople] = useState<People>({ status: 'loading' })
  const [attempt, setAttempt] = useState(0)
  const [entering, setEntering] = useState<string | null>(null)

  useEffect(() => {
    let gone = false
    issuer.people().then(
      (known) => !gone && setPeople({ status: 'known', people: known }),
      () => !gone && setPeople({ status: 'failed' }),
    )
    return () => {
      gone = true
    }
  }, [issuer, attempt])

  const enterAs = async (personId: string) => {
    setEntering(personId)
    try {
      await auth.signIn(personId)
    } catch {
      setPeople({ status: 'failed' })
      setEntering(null)
    }
  }

  const ended = auth.session.status === 'signed-out' && auth.session.ended
  return (
    <Centered
      title="Sign in"
      description="This is the sandbox: pick a sample person, no password needed."
    >
      {ended && (
        <Notice role="status" tone="warning" className="mb-4" title="Your session has ended">
          Sign in again to go on where you were.
        </Notice>
      )}
      {people.status === 'loading' && <Loading />}
      {people.status === 'failed' && (
        <ProblemNotice
          title="The sandbox cannot be reached"
          problem={{ detail: 'Check that it is running, then try again.', requestId: null }}
          onRetry={() => {
            setPeople({ status: 'loading' })
            setAttempt((before) => before + 1)
          }}
        />
      )}
      {people.status === 'known' && (
        <ul className="flex flex-col gap-2">
          {people.people.map((person) => (
            <li key={person.id}>
              <PersonButton
                person={person}
                entering={entering === person.id}
                onEnter={() => void enterAs(person.id)}
              />
            </li>
          ))}
        </ul>
      )}
    </Centered>
  )
}

interface PersonButtonProps {
  person: SamplePerson
  entering: boolean
  onEnter: () => void
}

function PersonButton({ person, entering, onEnter }: PersonButtonProps) {
  const id = useId()
  return (
    <button
      type="button"
      aria-labelledby={`${id}-name`}
      aria-describedby={`${id}-roles`}
      aria-busy={entering || undefined}
      onClick={onEnter}
      className="flex min-h-15 w-full items-center gap-3 rounded-xl border border-border bg-surface px-4 py-2.5 text-left shadow-xs transition-colors hover:bg-muted"
    >
      <span className="min-w-0 flex-1">
        <span id={`${id}-name`} className="block text-sm font-medium">
          {person.name}
        </span>
        <span id={`${id}-roles`} className="block text-xs text-muted-foreground">
          {person.orgs
            .map((org) => `${org.role === 'admin' ? 'Admin' : 'Member'} of ${org.name}`)
            .join(', ')}
        </span>
      </span>
      {entering ? <Spinner /> : <ChevronRight aria-hidden className="size-4 shrink-0" />}
    </button>
  )
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the sample people" className="flex flex-col gap-2">
      {[1, 2, 3, 4].map((row) => (
        <Skeleton key={row} className="h-15 rounded-xl" />
      ))}
    </div>
  )
}
