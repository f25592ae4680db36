import { ChevronRight } from 'lucide-react'

import { Centered } from '@/components/centered'
import { useAuth } from '@/lib/auth'

/** Asks for an organisation when the session has no active one. */
export function ChooseOrg() {
  const { orgs, switchOrg } = useAuth()
  if (orgs.length === 0) {
    return (
      <Centered
        title="You do not belong to an organisation"
        description="Connections belong to an organisation. Ask an admin to invite you to one."
      />
    )
  }
  return (
    <Centered
      title="Choose an organisation"
      description="Connections belong to an organisation. Choose one to see its connections."
    >
      <ul className="flex flex-col gap-2">
        {orgs.map(({ id, name, role }) => (
          <li key={id}>
            <button
              type="button"
              className="flex min-h-13 w-full items-center gap-3 rounded-xl border border-border bg-surface px-4 py-2.5 text-left text-sm shadow-xs transition-colors hover:bg-muted"
              onClick={() => void switchOrg(id)}
            >
              <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
              <span className="text-xs text-muted-foreground">
                {role === 'admin' ? 'Admin' : 'Member'}
              </span>
              <ChevronRight aria-hidden className="size-4 shrink-0" />
            </button>
          </li>
        ))}
      </ul>
    </Centered>
  )
}
