import { forwardRef, type ComponentPropsWithoutRef, type ReactNode } from 'react'

import { Button as UiButton } from './ui/button'

const VARIANTS = {
  primary: 'default',
  outline: 'outline',
  ghost: 'ghost',
  danger: 'destructive',
} as const
const SIZES = { md: 'default', sm: 'sm', icon: 'icon', iconSm: 'icon-sm' } as const

interface ButtonProps extends ComponentPropsWithoutRef<'button'> {
  variant?: keyof typeof VARIANTS
  size?: keyof typeof SIZES
  pending?: boolean
  icon?: ReactNode
}

/** The button of `ui` under the names that the features used before it. */
export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button(
  { variant = 'outline', size = 'md', icon, children, ...rest },
  ref,
) {
  return (
    <UiButton ref={ref} variant={VARIANTS[variant]} size={SIZES[size]} {...rest}>
      {icon}
      {children}
    </UiButton>
  )
})
