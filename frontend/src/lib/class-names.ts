import { clsx } from 'clsx'

/** Joins class names. It resolves no conflicts: components have variants, not overrides. */
export const cn = clsx
