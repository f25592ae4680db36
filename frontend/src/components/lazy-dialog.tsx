import { lazy, Suspense, type ComponentType } from 'react'

import { useMessages } from '@/messages'

import { Notice } from './notice'
import type { DialogFocus } from './use-dialog-focus'

/** What every dialog has: it is open while it is rendered. */
export interface DialogProps extends Pick<DialogFocus, 'fallbackFocus'> {
  onClose: () => void
}

/**
 * A dialog whose code is loaded when it first opens, because a first visit opens none. Where the
 * code cannot be loaded, a notice says so.
 */
export function lazyDialog<Props extends DialogProps>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  const Dialog = lazy(async () => ({ default: await load().catch(() => NotLoaded) }))
  return function LazyDialog(props: Props) {
    return (
      <Suspense fallback={null}>
        <Dialog {...props} />
      </Suspense>
    )
  }
}

/** In place of a dialog whose code could not be loaded, for example offline. */
function NotLoaded({ onClose }: DialogProps) {
  const { parts } = useMessages()
  return (
    <div className="fixed inset-x-4 bottom-4 z-50 mx-auto max-w-lg">
      <Notice role="alert" variant="destructive" title={parts.dialogNotLoaded} onDismiss={onClose}>
        {parts.dialogNotLoadedHint}
      </Notice>
    </div>
  )
}
