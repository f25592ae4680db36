export { Skeleton } from './ui/skeleton'
