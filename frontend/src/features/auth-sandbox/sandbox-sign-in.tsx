import { ChevronRight } from 'lucide-react'
import { useEffect, useId, useState } from 'react'

import { Centered } from '@/components/centered'
import { Notice } from '@/components/notice'
import { ProblemNotice } from '@/components/problem-notice'
import { Skeleton } from '@/components/ui/skeleton'
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
        <Notice role="status" variant="warning" className="mb-4" title={texts.ended}>
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
    <div className="relative flex min-h-15 items-center gap-3 rounded-xl border border-border bg-card px-4 py-2.5 shadow-xs transition-colors focus-within:outline-2 focus-within:outline-ring hover:bg-accent">
      <div className="min-w-0 flex-1">
        {/* The whole card is the button's target; its name is the visible text. */}
        <button
          type="button"
          aria-describedby={`${id}-roles`}
          aria-busy={signingInAs || undefined}
          onClick={onSignIn}
          className="block w-full text-start text-sm font-medium wrap-anywhere outline-none after:absolute after:inset-0"
        >
          <bdi>{user.name}</bdi>
        </button>
        <p id={`${id}-roles`} className="text-xs wrap-anywhere text-muted-foreground">
          {list(roles)}
        </p>
      </div>
      {signingInAs ? <Spinner /> : <ChevronRight aria-hidden className="size-4 shrink-0" />}
    </div>
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
