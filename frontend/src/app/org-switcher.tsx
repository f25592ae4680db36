import { ChevronsUpDown } from 'lucide-react'

import { useAuth, type Org } from '@/lib/auth'
import { useMessages } from '@/messages'

/** Shows the active organisation and switches to another. */
export function OrgSwitcher({ org }: { org: Org | null }) {
  const { orgs, switchOrg } = useAuth()
  const { app } = useMessages()
  if (orgs.length === 0) return null
  return (
    <label className="relative flex min-w-0 items-center">
      <span className="sr-only">{app.organisation}</span>
      <select
        value={org?.id ?? ''}
        onChange={(event) => void switchOrg(event.target.value)}
        className="h-9 min-w-0 appearance-none truncate rounded-lg bg-transparent pr-8 pl-2.5 text-sm font-medium hover:bg-muted"
      >
        {!org && (
          <option value="" disabled>
            {app.chooseOrganisation}
          </option>
        )}
        {orgs.map(({ id, name }) => (
          <option key={id} value={id} className="bg-popover text-foreground">
            {name}
          </option>
        ))}
      </select>
      <ChevronsUpDown
        aria-hidden
        className="pointer-events-none absolute right-2 size-4 text-muted-foreground"
      />
    </label>
  )
}
