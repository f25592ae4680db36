import type { Binding } from '@/api/types'
import { Badge } from '@/components/ui/badge'
import { useMessages } from '@/messages'

import { permissionName } from './permission-name'

/** What Xero granted, and what this app asks for in vain, in words. */
export function DetailsPermissions({ permissions }: Pick<Binding, 'permissions'>) {
  const messages = useMessages().connections.details
  const { granted, missing } = permissions
  return (
    <div className="flex flex-col gap-3">
      {missing.length > 0 && <Scopes label={messages.missing} scopes={missing} variant="warning" />}
      {granted.length > 0 && (
        <Scopes label={messages.granted} scopes={granted} variant="secondary" />
      )}
    </div>
  )
}

interface ScopesProps {
  label: string
  scopes: readonly string[]
  variant: 'warning' | 'secondary'
}

function Scopes({ label, scopes, variant }: ScopesProps) {
  const { permissions } = useMessages().connections
  return (
    <div>
      <p className="mb-1.5 text-sm text-muted-foreground">{label}</p>
      <ul aria-label={label} className="flex flex-wrap gap-1.5">
        {scopes.map((scope) => (
          <li key={scope} className="flex min-w-0">
            <Badge variant={variant}>
              {permissionName(permissions, scope) ?? <code>{scope}</code>}
            </Badge>
          </li>
        ))}
      </ul>
    </div>
  )
}
