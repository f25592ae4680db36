import { ChevronRight } from 'lucide-react'
import { useEffect, useId, useState } from 'react'

import { Centered } from '@/components/centered'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/skeleton'
import { Spinner } from '@/components/spinner'
import { useAuth } from '@/lib/auth'
import { useFormats, useMessages } from '@/messages'

import type { SampleUser, SandboxIssuer } from './sandbox-issuer'

type People = { status: 'loading' | 'failed' } | { status: 'known'; people: SampleUser[] }

/** Lists the sample people; one click signs in as one of them. */
export function SandboxSignIn({ issuer }: { issuer: SandboxIssuer }) {
  const auth = useAuth()
  const { signIn: texts } = useMessages()
  const [people, setPeople] = useState<People>({ status: 'loading' })
  const [attempt, setAttempt] = useState(0)
  const [signingInAs, setSigningInAs] = useState<string | null>(null)

  useEffect(() => {
    let cancelled = false
    issuer.people().then(
      (known) => !cancelled && setPeople({ status: 'known', people: known }),
      () => !cancelled && setPeople({ status: 'failed' }),
    )
    return () => {
      cancelled = true
    }
  }, [issuer, attempt])

  const signInAs = async (userId: string) => {
    setSigningInAs(userId)
    try {
      await auth.signIn(userId)
    } catch {
      setPeople({ status: 'failed' })
      setSigningInAs(null)
    }
  }

  const ended = auth.session.status === 'signed-out' && auth.session.ended
  return (
    <Centered title={texts.signIn} description={texts.sandboxHint}>
      {ended && (
        <Notice role="status" tone="warning" className="mb-4" title={texts.ended}>
          {texts.endedHint}
        </Notice>
      )}
      {people.status === 'loading' && <UserListSkeleton />}
      {people.status === 'failed' && (
        <ProblemNotice
          title={texts.sandboxUnreachable}
          problem={{ detail: texts.sandboxUnreachableHint, requestId: null }}
          onRetry={() => {
            setPeople({ status: 'loading' })
            setAttempt((before) => before + 1)
          }}
        />
      )}
      {people.status === 'known' && (
        <ul className="flex flex-col gap-2">
          {people.people.map((user) => (
            <li key={user.id}>
              <UserButton
                user={user}
                signingInAs={signingInAs === user.id}
                onSignIn={() => void signInAs(user.id)}
              />
            </li>
          ))}
        </ul>
      )}
    </Centered>
  )
}

interface UserButtonProps {
  user: SampleUser
  signingInAs: boolean
  onSignIn: () => void
}

function UserButton({ user, signingInAs, onSignIn }: UserButtonProps) {
  const id = useId()
  const { signIn: texts } = useMessages()
  const { list } = useFormats()
  const roles = user.orgs.map(({ name, role }) =>
    role === 'admin' ? texts.adminOf(name) : texts.memberOf(name),
  )
  return (
    <button
      type="button"
      aria-labelledby={`${id}-name`}
      aria-describedby={`${id}-roles`}
      aria-busy={signingInAs || undefined}
      onClick={onSignIn}
      className="flex min-h-15 w-full items-center gap-3 rounded-xl border border-border bg-surface px-4 py-2.5 text-left shadow-xs transition-colors hover:bg-muted"
    >
      <span className="min-w-0 flex-1">
        <span id={`${id}-name`} className="block text-sm font-medium">
          {user.name}
        </span>
        <span id={`${id}-roles`} className="block text-xs text-muted-foreground">
          {list(roles)}
        </span>
      </span>
      {signingInAs ? <Spinner /> : <ChevronRight aria-hidden className="size-4 shrink-0" />}
    </button>
  )
}

function UserListSkeleton() {
  const { signIn: texts } = useMessages()
  return (
    <div role="status" aria-label={texts.loadingPeople} className="flex flex-col gap-2">
      {[1, 2, 3, 4].map((row) => (
        <Skeleton key={row} className="h-15 rounded-xl" />
      ))}
    </div>
  )
}
