import { cva, type VariantProps } from 'class-variance-authority'
import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

const alertVariants = cva(
  'relative grid w-full grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1 rounded-xl border p-4 text-sm wrap-anywhere [&>svg]:mt-0.5 [&>svg]:size-4 [&>svg]:shrink-0',
  {
    variants: {
      variant: {
        default: 'border-border bg-card text-card-foreground [&>svg]:text-muted-foreground',
        warning: 'border-warning/25 bg-warning-surface [&>svg]:text-warning',
        destructive:
          'border-destructive-text/25 bg-destructive-surface [&>svg]:text-destructive-text',
      },
    },
    defaultVariants: { variant: 'default' },
  },
)

type AlertProps = ComponentPropsWithoutRef<'div'> & VariantProps<typeof alertVariants>

/** A message in the page. Give it the role `alert` where it interrupts, `status` where it waits. */
export const Alert = forwardRef<HTMLDivElement, AlertProps>(function Alert(
  { variant, className, ...rest },
  ref,
) {
  return (
    <div
      ref={ref}
      data-slot="alert"
      className={cn(alertVariants({ variant }), className)}
      {...rest}
    />
  )
})

export const AlertTitle = forwardRef<HTMLParagraphElement, ComponentPropsWithoutRef<'p'>>(
  function AlertTitle({ className, ...rest }, ref) {
    return (
      <p
        ref={ref}
        data-slot="alert-title"
        className={cn('col-start-2 font-medium text-balance', className)}
        {...rest}
      />
    )
  },
)

export const AlertDescription = forwardRef<HTMLDivElement, ComponentPropsWithoutRef<'div'>>(
  function AlertDescription({ className, ...rest }, ref) {
    return (
      <div
        ref={ref}
        data-slot="alert-description"
        className={cn('col-start-2 text-pretty text-muted-foreground', className)}
        {...rest}
      />
    )
  },
)
