import { Check, Copy } from 'lucide-react'
import { useState } from 'react'

import { useMessages } from '@/messages'

import { Button } from './ui/button'

interface CopyButtonProps {
  /** What is copied, in the button's name: "Copy bindingId". */
  what: string
  text: string
}

/**
 * Copies a text. A live region announces the result, which the symbol shows. A failure is text on
 * a line of its own in the parent, a flexbox that wraps.
 */
export function CopyButton({ what, text }: CopyButtonProps) {
  const { parts } = useMessages()
  const [result, setResult] = useState<'copied' | 'failed' | null>(null)

  const copy = async () => {
    try {
      // Undefined on pages without https: then this throws, too.
      await navigator.clipboard.writeText(text)
      setResult('copied')
    } catch {
      setResult('failed')
    }
  }

  const Icon = result === 'copied' ? Check : Copy
  return (
    <>
      <Button
        variant="ghost"
        size="icon-sm"
        aria-label={parts.copy(what)}
        // Later, when the next element has the focus: a dialog of Radix takes the focus back when a
        // text disappears while nothing has it.
        onBlur={() => setTimeout(() => setResult(null))}
        onClick={() => void copy()}
      >
        <Icon aria-hidden />
      </Button>
      <span
        role="status"
        className={result === 'failed' ? 'basis-full text-xs text-destructive-text' : 'sr-only'}
      >
        {result === 'copied' && parts.copied(what)}
        {result === 'failed' && parts.copyFailed}
      </span>
    </>
  )
}
