import { cva, type VariantProps } from 'class-variance-authority'
import { CircleAlert, Info, TriangleAlert, X } from 'lucide-react'
import type { ReactNode } from 'react'

import { cn } from '@/lib/class-names'
import { useMessages } from '@/messages'

import { Button } from './button'

const styles = cva('flex gap-3 rounded-xl border p-4 text-sm', {
  variants: {
    tone: {
      neutral: 'border-border bg-surface',
      warning: 'border-warning/25 bg-warning-surface',
      danger: 'border-danger-text/25 bg-danger-surface',
    },
  },
  defaultVariants: { tone: 'neutral' },
})

const symbols = {
  neutral: <Info aria-hidden className="mt-0.5 size-4 shrink-0 text-muted-foreground" />,
  warning: <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-warning" />,
  danger: <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger-text" />,
}

interface NoticeProps extends VariantProps<typeof styles> {
  title?: string
  children?: ReactNode
  actions?: ReactNode
  onDismiss?: () => void
  className?: string | undefined
  /** `alert` interrupts a screen reader; `status` waits; without either it is plain text. */
  role?: 'alert' | 'status'
}

export function Notice({
  tone,
  title,
  children,
  actions,
  onDismiss,
  className,
  role,
}: NoticeProps) {
  const { parts } = useMessages()
  return (
    <div role={role} className={cn(styles({ tone }), className)}>
      {symbols[tone ?? 'neutral']}
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        {title && <p className="font-medium">{title}</p>}
        {children && <div className="text-pretty text-muted-foreground">{children}</div>}
        {actions && <div className="mt-2 flex flex-wrap gap-2">{actions}</div>}
      </div>
      {onDismiss && (
        <Button
          variant="ghost"
          size="iconSm"
          className="-mt-1 -mr-1"
          aria-label={parts.dismiss}
          onClick={onDismiss}
        >
          <X aria-hidden />
        </Button>
      )}
    </div>
  )
}
