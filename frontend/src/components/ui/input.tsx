import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

export const Input = forwardRef<HTMLInputElement, ComponentPropsWithoutRef<'input'>>(function Input(
  { className, ...rest },
  ref,
) {
  return (
    <input
      ref={ref}
      data-slot="input"
      className={cn(
        'h-9 w-full min-w-0 rounded-md border border-input bg-card px-3 text-sm text-card-foreground shadow-xs placeholder:text-muted-foreground disabled:opacity-50 aria-invalid:border-destructive forced-colors:disabled:opacity-100',
        className,
      )}
      {...rest}
    />
  )
})
