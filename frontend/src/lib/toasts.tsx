import type { ReactNode } from 'react'
import { toast as sonner } from 'sonner'

/** A message to the user that disappears by itself. */
export interface XeroToast {
  kind: 'success' | 'info' | 'warning' | 'error'
  title: string
  description?: ReactNode
  /** A link to where the user can act. `onClick` replaces the page load, if it is given. */
  link?: { label: string; href: string; onClick?: (() => void) | undefined }
  /** A toast replaces the visible one with the same id. */
  id?: string
  /** Milliseconds until it disappears, if it needs longer than usual to read. */
  duration?: number
}

export type ShowToast = (toast: XeroToast) => void

/** Shows the toast with sonner; its `<Toaster />` must be mounted. */
export const showWithSonner: ShowToast = ({ kind, title, description, link, id, duration }) => {
  sonner[kind](title, {
    ...(description !== undefined && { description }),
    ...(id !== undefined && { id }),
    ...(duration !== undefined && { duration }),
    ...(link && {
      action: (
        <a
          data-button
          href={link.href}
          onClick={(event) => {
            if (!link.onClick) return
            event.preventDefault()
            link.onClick()
          }}
        >
          {link.label}
        </a>
      ),
    }),
  })
}
