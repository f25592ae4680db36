import { ChevronRight } from 'lucide-react'

import { Centered } from '@/components/centered'
import { useAuth } from '@/lib/auth'

/** Nothing can be shown before it is known for which organisation. */
export function ChooseOrg() {
  const { orgs, switchOrg } = useAuth()
  if (orgs.length === 0) {
    return (
      <Centered
        title="You are in no organisation yet"
        description="Connections belong to organisations. Ask somebody to invite you to theirs."
      />
    )
  }
  return (
    <Centered
      title="Choose an organisation"
      description="Connections belong to organisations. Whose do you want to see?"
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
