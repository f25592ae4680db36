import { lazy, Suspense } from 'react'

import { useMessages } from '@/messages'

import type { ModalProps } from './modal'
import { Notice } from './notice'

// Loaded when the first one opens: a first visit opens none.
const ModalDialog = lazy(() => import('./modal-dialog').catch(() => ({ default: NotLoaded })))
const ModalQuestion = lazy(() => import('./modal-question').catch(() => ({ default: NotLoaded })))

/** A modal dialog. It traps the focus and restores it on close. */
export function Dialog(props: ModalProps) {
  return (
    <Suspense fallback={null}>
      <ModalDialog {...props} />
    </Suspense>
  )
}

/** A modal question with consequences: a click outside does not close it. */
export function QuestionDialog(props: ModalProps) {
  return (
    <Suspense fallback={null}>
      <ModalQuestion {...props} />
    </Suspense>
  )
}

/** In place of a dialog whose code could not be loaded, for example offline. */
function NotLoaded({ onClose }: ModalProps) {
  const { parts } = useMessages()
  return (
    <div className="fixed inset-x-4 bottom-4 z-50 mx-auto max-w-lg">
      <Notice role="alert" tone="danger" title={parts.dialogNotLoaded} onDismiss={onClose}>
        {parts.dialogNotLoadedHint}
      </Notice>
    </div>
  )
}
