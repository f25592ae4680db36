import { ChevronRight } from 'lucide-react'

import { Centered } from '@/components/centered'
import { useAuth } from '@/lib/auth'
import { useMessages } from '@/messages'

/** Asks for an organisation when the session has no active one. */
export function ChooseOrg() {
  const { orgs, switchOrg } = useAuth()
  const { app } = useMessages()
  if (orgs.length === 0) {
    return <Centered title={app.noOrganisation} description={app.noOrganisationHint} />
  }
  return (
    <Centered title={app.chooseOrganisation} description={app.chooseOrganisationHint}>
      <ul className="flex flex-col gap-2">
        {orgs.map(({ id, name, role }) => (
          <li key={id}>
            <button
              type="button"
              className="flex min-h-13 w-full items-center gap-3 rounded-xl border border-border bg-card px-4 py-2.5 text-start text-sm shadow-xs transition-colors hover:bg-accent"
              onClick={() => void switchOrg(id)}
            >
              <bdi className="min-w-0 flex-1 font-medium wrap-anywhere">{name}</bdi>
              <span className="text-xs text-muted-foreground">{app.roles[role]}</span>
              <ChevronRight aria-hidden className="size-4 shrink-0" />
            </button>
          </li>
        ))}
      </ul>
    </Centered>
  )
}
