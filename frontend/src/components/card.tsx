export { Card } from './ui/card'
