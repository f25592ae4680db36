import { cva, type VariantProps } from 'class-variance-authority'
import type { ComponentProps } from 'react'

import { cn } from '@/lib/class-names'

const styles = cva(
  'inline-flex h-5.5 shrink-0 items-center rounded-full px-2 text-xs font-medium whitespace-nowrap',
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

type BadgeProps = ComponentProps<'span'> & VariantProps<typeof styles>

export function Badge({ tone, className, ...rest }: BadgeProps) {
  return <span className={cn(styles({ tone }), className)} {...rest} />
}
