import { lazy, Suspense, type ComponentType } from 'react'

import { useMessages } from '@/messages'

import type { ModalProps } from './modal'
import { Notice } from './notice'

// Loaded when the first one opens: a first visit opens none.
const ModalDialog = lazyDialog(() => import('./modal-dialog'))
const ModalQuestion = lazyDialog(() => import('./modal-question'))

/** A dialog whose code is loaded when it opens; where that fails, a notice says so. */
export function lazyDialog<Props extends Pick<ModalProps, 'onClose'>>(
  load: () => Promise<{ default: ComponentType<Props> }>,
) {
  return lazy(() => load().catch((): { default: ComponentType<Props> } => ({ default: NotLoaded })))
}

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
function NotLoaded({ onClose }: Pick<ModalProps, 'onClose'>) {
  const { parts } = useMessages()
  return (
    <div className="fixed inset-x-4 bottom-4 z-50 mx-auto max-w-lg">
      <Notice role="alert" tone="danger" title={parts.dialogNotLoaded} onDismiss={onClose}>
        {parts.dialogNotLoadedHint}
      </Notice>
    </div>
  )
}
