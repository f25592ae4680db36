import type { components } from './schema'

type Schemas = components['schemas']

export type Binding = Schemas['Binding']
export type Health = Schemas['Health']
export type Tenant = Schemas['Tenant']
export type Refreshed = Schemas['Refreshed']
export type Disconnected = Schemas['Disconnected']
export type Started = Schemas['Started']
