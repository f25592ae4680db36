export { Toaster } from './ui/sonner'
