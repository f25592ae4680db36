import type { components } from './schema'

/** The service's documents by the names that the page uses for them. */
type Schemas = components['schemas']

export type ActivityEvent = Schemas['ActivityEvent']
export type ActivityPage = Schemas['ActivityPage']
export type Binding = Schemas['Binding']
export type Disconnected = Schemas['DisconnectAnswer']
export type Health = Schemas['Health']
export type Refreshed = Schemas['RefreshAnswer']
export type Started = Schemas['AuthorizationStart']
export type Tenant = Schemas['Tenant']
