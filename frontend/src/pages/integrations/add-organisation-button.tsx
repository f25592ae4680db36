import { Plus } from 'lucide-react'
import { useId } from 'react'

/** Opens the dialog with the organisations that existing consents already reach. */
export function AddOrganisationButton({ onAdd }: { onAdd: () => void }) {
  const id = useId()
  return (
    <button
      type="button"
      aria-labelledby={`${id}-name`}
      aria-describedby={`${id}-note`}
      onClick={onAdd}
      className="mt-3 flex w-full items-center gap-4 rounded-xl border border-dashed border-input/70 p-4 text-left transition-colors hover:bg-surface sm:px-5"
    >
      <span
        aria-hidden
        className="flex size-10 shrink-0 items-center justify-center rounded-lg border border-dashed border-input/70 text-muted-foreground max-sm:size-8"
      >
        <Plus className="size-4" />
      </span>
      <span className="min-w-0">
        <span id={`${id}-name`} className="block text-sm font-medium">
          Add another organisation
        </span>
        <span id={`${id}-note`} className="block text-sm text-pretty text-muted-foreground">
          Pick one that an existing sign-in to Xero already reaches.
        </span>
      </span>
    </button>
  )
}
