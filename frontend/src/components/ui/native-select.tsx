import { ChevronsUpDown } from 'lucide-react'
import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

/** The browser's own select: on a phone it opens the system's list, and it needs no code of ours. */
export const NativeSelect = forwardRef<HTMLSelectElement, ComponentPropsWithoutRef<'select'>>(
  function NativeSelect({ className, ...rest }, ref) {
    return (
      <div data-slot="native-select-wrapper" className="relative flex min-w-0 items-center">
        <select
          ref={ref}
          data-slot="native-select"
          className={cn(
            'h-9 min-w-0 appearance-none truncate rounded-md border border-input bg-card ps-2.5 pe-8 text-sm text-card-foreground disabled:opacity-50 forced-colors:disabled:opacity-100',
            className,
          )}
          {...rest}
        />
        <ChevronsUpDown
          aria-hidden
          className="pointer-events-none absolute end-2 size-4 text-muted-foreground"
        />
      </div>
    )
  },
)

export const NativeSelectOption = forwardRef<HTMLOptionElement, ComponentPropsWithoutRef<'option'>>(
  function NativeSelectOption({ className, ...rest }, ref) {
    return (
      <option
        ref={ref}
        data-slot="native-select-option"
        className={cn('bg-popover text-popover-foreground', className)}
        {...rest}
      />
    )
  },
)
