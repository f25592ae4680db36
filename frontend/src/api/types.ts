import type { components } from './schema'

/** The API's schemas under the names that the page uses. */
type Schemas = components['schemas']

export type ActivityEvent = Schemas['ActivityEvent']
export type ActivityPage = Schemas['ActivityPage']
export type AuditAction = Schemas['AuditAction']
export type Binding = Schemas['Binding']
export type BindingList = Schemas['BindingList']
export type DisconnectResult = Schemas['DisconnectAnswer']
export type Health = Schemas['Health']
export type PendingConsent = Schemas['PendingConsent']
export type RefreshResult = Schemas['RefreshAnswer']
export type AuthorizationStart = Schemas['AuthorizationStart']
export type Tenant = Schemas['Tenant']
