import { cva, type VariantProps } from 'class-variance-authority'
import { forwardRef, type ComponentPropsWithoutRef } from 'react'

import { cn } from '@/lib/class-names'

const badgeVariants = cva(
  'inline-flex min-h-5.5 shrink-0 items-center rounded-full border border-transparent px-2 text-xs font-medium whitespace-nowrap',
  {
    variants: {
      variant: {
        default: 'bg-primary text-primary-foreground',
        secondary: 'bg-secondary text-secondary-foreground',
        outline: 'border-border text-foreground',
        success: 'bg-success-surface text-success',
        warning: 'bg-warning-surface text-warning',
        destructive: 'bg-destructive-surface text-destructive-text',
      },
    },
    defaultVariants: { variant: 'default' },
  },
)

type BadgeProps = ComponentPropsWithoutRef<'span'> & VariantProps<typeof badgeVariants>

export const Badge = forwardRef<HTMLSpanElement, BadgeProps>(function Badge(
  { variant, className, ...rest },
  ref,
) {
  return (
    <span
      ref={ref}
      data-slot="badge"
      className={cn(badgeVariants({ variant }), className)}
      {...rest}
    />
  )
})
