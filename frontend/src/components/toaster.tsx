import { Toaster as Sonner } from 'sonner'

/** The container of all toasts; mounted once. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      closeButton
      toastOptions={{
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
