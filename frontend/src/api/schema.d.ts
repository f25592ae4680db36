/** Written by hand from the contract until the service's OpenAPI document is here. */

interface Answer<Body> {
  headers: Record<string, unknown>
  content: { 'application/json': Body }
}

interface NoParameters {
  query?: never
  header?: never
  path?: never
  cookie?: never
}

export interface components {
  schemas: {
    Health: {
      state: 'healthy' | 'expiring' | 'retrying' | 'needs_reauth' | 'disconnected'
      accessTokenExpiresAt: string | null
      refreshTokenExpiresAt: string | null
      lastRefreshedAt: string | null
      lastError: string | null
    }
    ConnectedBy: {
      userId: string
      xeroName: string | null
      xeroEmail: string | null
    }
    Binding: {
      id: string
      tenantId: string
      tenantName: string
      tenantType: string
      status: 'active' | 'suspended' | 'needs_reauth' | 'revoked'
      grantId: string
      connectedBy: components['schemas']['ConnectedBy']
      createdAt: string
      updatedAt: string
      lastUsedAt: string | null
      health: components['schemas']['Health']
    }
    Bindings: {
      bindings: components['schemas']['Binding'][]
      hasActiveBindings: boolean
    }
    Tenant: {
      tenantId: string
      tenantName: string
      tenantType: string
      justAuthorised: boolean
      availability: 'available' | 'bound_here' | 'unavailable'
      bindingId: string | null
    }
    Tenants: {
      grantId: string
      tenants: components['schemas']['Tenant'][]
    }
    Started: {
      authorizationUrl: string
      expiresAt: string
    }
    Disconnected: {
      binding: components['schemas']['Binding']
      grantRevoked: boolean
      remoteCleanup: 'done' | 'pending' | 'impossible'
    }
    RefreshFailure: {
      bindingId: string
      error: string
    }
    Refreshed: {
      success: boolean
      hasActiveBindings: boolean
      refreshedCount: number
      errors: components['schemas']['RefreshFailure'][]
    }
  }
}

export interface paths {
  '/api/integrations/xero/start': {
    get: {
      parameters: { query?: { returnTo?: string }; header?: never; path?: never; cookie?: never }
      requestBody?: never
      responses: { 200: Answer<components['schemas']['Started']> }
    }
  }
  '/api/integrations/xero/bindings': {
    get: {
      parameters: { query?: { status?: string }; header?: never; path?: never; cookie?: never }
      requestBody?: never
      responses: { 200: Answer<components['schemas']['Bindings']> }
    }
  }
  '/api/integrations/xero/tenants/list': {
    get: {
      parameters: { query: { grantId: string }; header?: never; path?: never; cookie?: never }
      requestBody?: never
      responses: { 200: Answer<components['schemas']['Tenants']> }
    }
  }
  '/api/integrations/xero/tenants/select': {
    post: {
      parameters: NoParameters
      requestBody: { content: { 'application/json': { grantId: string; tenantId: string } } }
      responses: {
        200: Answer<components['schemas']['Binding']>
        201: Answer<components['schemas']['Binding']>
      }
    }
  }
  '/api/integrations/xero/disconnect': {
    post: {
      parameters: NoParameters
      requestBody: { content: { 'application/json': { tenantBindingId: string } } }
      responses: { 200: Answer<components['schemas']['Disconnected']> }
    }
  }
  '/api/integrations/xero/refresh': {
    post: {
      parameters: NoParameters
      requestBody?: never
      responses: { 200: Answer<components['schemas']['Refreshed']> }
    }
  }
}
