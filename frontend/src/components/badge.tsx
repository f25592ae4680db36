import { cva, type VariantProps } from 'class-variance-authority'
import type { ComponentProps } from 'react'

import { cn } from '@/lib/class-names'

const styles = cva(
  'inline-flex h-5.5 shrink-0 items-center gap-1.5 rounded-full px-2 text-xs font-medium whitespace-nowrap',
  {
    variants: {
      tone: {
        positive: 'bg-positive-surface text-positive',
        warning: 'bg-warning-surface text-warning',
        neutral: 'bg-muted text-muted-foreground',
      },
    },
    defaultVariants: { tone: 'neutral' },
  },
)

type BadgeProps = ComponentProps<'span'> & VariantProps<typeof styles> & { dot?: boolean }

export function Badge({ tone, dot = false, className, children, ...rest }: BadgeProps) {
  return (
    <span className={cn(styles({ tone }), className)} {...rest}>
      {dot && <span aria-hidden className="size-1.5 rounded-full bg-current" />}
      {children}
    </span>
  )
}
