import { Toaster as Sonner } from 'sonner'

import { useMessages } from '@/messages'

/** The container of all toasts; mounted once. */
export function Toaster() {
  const { parts } = useMessages()
  return (
    <Sonner
      position="bottom-right"
      closeButton
      containerAriaLabel={parts.notifications}
      toastOptions={{
        closeButtonAriaLabel: parts.dismiss,
        classNames: {
          toast: '!border-border !bg-raised !text-foreground !font-sans !rounded-xl !shadow-lg',
          description: '!text-muted-foreground',
          closeButton: '!border-border !bg-raised !text-foreground',
          actionButton: '!bg-primary !text-primary-foreground',
        },
      }}
    />
  )
}
