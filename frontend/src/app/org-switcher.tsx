import { NativeSelect, NativeSelectOption } from '@/components/ui/native-select'
import { useAuth, type Org } from '@/lib/auth'
import { useMessages } from '@/messages'

/** Shows the active organisation and switches to another. */
export function OrgSwitcher({ org }: { org: Org | null }) {
  const { orgs, switchOrg } = useAuth()
  const { app } = useMessages()
  if (orgs.length === 0) return null
  return (
    <NativeSelect
      aria-label={app.organisation}
      value={org?.id ?? ''}
      onChange={(event) => void switchOrg(event.target.value)}
      className="border-transparent bg-transparent font-medium text-foreground hover:bg-muted"
    >
      {!org && (
        <NativeSelectOption value="" disabled>
          {app.chooseOrganisation}
        </NativeSelectOption>
      )}
      {orgs.map(({ id, name }) => (
        <NativeSelectOption key={id} value={id}>
          {name}
        </NativeSelectOption>
      ))}
    </NativeSelect>
  )
}
