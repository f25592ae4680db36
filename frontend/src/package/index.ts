/** `@xero-service/react`: what other React applications install. */
import './styles.css'

export { toApiProblem as toXeroProblem, type ApiProblem as XeroProblem } from '@/api/problem'
export type {
  ActivityEvent as XeroActivityEvent,
  Binding as XeroBinding,
  Tenant as XeroTenant,
} from '@/api/types'
export { XeroServiceProvider, type XeroServiceProviderProps } from '@/api/xero-service-provider'
export {
  XeroTokenRefresher,
  type XeroTokenRefresherProps,
} from '@/features/xero-token-refresher/xero-token-refresher'
export { useTenantOptions as useXeroTenants } from '@/features/connect/use-tenant-options'
export { useSelectTenants as useSelectXeroTenants } from '@/features/connect/use-select-tenants'
export type { GetToken, TokenOptions } from '@/lib/auth'
export type { XeroToast } from '@/lib/toasts'
export type { MessageOverrides, Messages } from '@/messages'
export * from './hooks'
export { XeroConnections } from '@/pages/integrations/xero-connections'
