import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { CSSProperties } from 'react'
import { Toaster as Sonner, type ToasterProps } from 'sonner'

import { useMessages } from '@/messages'

/** The colours of a toast without a kind; the classes below are those of the kinds. */
const NEUTRAL = {
  '--normal-bg': 'var(--color-popover)',
  '--normal-border': 'var(--color-border)',
  '--normal-text': 'var(--color-popover-foreground)',
} as CSSProperties

/** The container of all toasts; mounted once. A toast's kind has a symbol and a colour. */
export function Toaster(props: ToasterProps) {
  const { parts } = useMessages()
  return (
    <Sonner
      position="bottom-right"
      closeButton
      style={NEUTRAL}
      containerAriaLabel={parts.notifications}
      icons={{
        success: <CircleCheck aria-hidden className="size-4 text-success" />,
        info: <Info aria-hidden className="size-4 text-muted-foreground" />,
        warning: <TriangleAlert aria-hidden className="size-4 text-warning" />,
        error: <CircleAlert aria-hidden className="size-4 text-destructive-text" />,
      }}
      toastOptions={{
        closeButtonAriaLabel: parts.dismiss,
        classNames: {
          toast: '!text-popover-foreground !font-sans !rounded-lg !shadow-lg wrap-anywhere',
          success: '!border-success/40 !bg-success-surface',
          warning: '!border-warning/40 !bg-warning-surface',
          error: '!border-destructive-text/40 !bg-destructive-surface',
          icon: '!self-start !mt-0.5',
          description: '!text-muted-foreground',
          closeButton: '!border-border !bg-popover !text-popover-foreground',
          actionButton: '!bg-primary !text-primary-foreground',
        },
      }}
      {...props}
    />
  )
}
