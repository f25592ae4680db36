import type { ComponentPropsWithoutRef } from 'react'

import { Badge as UiBadge } from './ui/badge'

const VARIANTS = { positive: 'success', warning: 'warning', neutral: 'secondary' } as const

interface BadgeProps extends ComponentPropsWithoutRef<'span'> {
  tone?: keyof typeof VARIANTS
}

/** The badge of `ui` under the names that the features used before it. */
export function Badge({ tone = 'neutral', ...rest }: BadgeProps) {
  return <UiBadge variant={VARIANTS[tone]} {...rest} />
}
