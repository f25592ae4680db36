import { CircleAlert, Info, TriangleAlert, X } from 'lucide-react'
import type { ReactNode } from 'react'

import { useMessages } from '@/messages'

import { Alert, AlertDescription, AlertTitle } from './ui/alert'
import { Button } from './ui/button'

const ICONS = {
  default: Info,
  warning: TriangleAlert,
  destructive: CircleAlert,
} as const

interface NoticeProps {
  variant?: keyof typeof ICONS
  title?: ReactNode
  children?: ReactNode
  actions?: ReactNode
  onDismiss?: () => void
  className?: string | undefined
  /** `alert` interrupts a screen reader; `status` waits; without either it is plain text. */
  role?: 'alert' | 'status'
}

/** An alert with a symbol for its kind, and with actions and a dismiss button where it has any. */
export function Notice({
  variant = 'default',
  title,
  children,
  actions,
  onDismiss,
  className,
  role,
}: NoticeProps) {
  const { parts } = useMessages()
  const Icon = ICONS[variant]
  return (
    <Alert role={role} variant={variant} className={className}>
      <Icon aria-hidden />
      {title && <AlertTitle className={onDismiss && 'pe-8'}>{title}</AlertTitle>}
      {children && <AlertDescription>{children}</AlertDescription>}
      {actions && (
        // A button with a long name breaks its line in a narrow window.
        <div className="col-start-2 mt-1 flex flex-wrap gap-2 *:h-auto *:min-h-8 *:max-w-full *:shrink *:py-1 *:text-balance *:whitespace-normal">
          {actions}
        </div>
      )}
      {onDismiss && (
        <Button
          variant="ghost"
          size="icon-sm"
          className="absolute end-3 top-3"
          aria-label={parts.dismiss}
          onClick={onDismiss}
        >
          <X aria-hidden />
        </Button>
      )}
    </Alert>
  )
}
