import { clsx } from 'clsx'

/** Joins class names. None may fight another: components offer variants, not overrides. */
export const cn = clsx
