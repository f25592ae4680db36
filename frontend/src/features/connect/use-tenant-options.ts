import { queryOptions, useQueries } from '@tanstack/react-query'

import { useApi } from '@/api/api-context'
import type { Api } from '@/api/client'
import { answered, asProblem, type ApiProblem } from '@/api/problem'
import { reload } from '@/api/reload'
import type { Tenant } from '@/api/types'

/** A tenant and the grant that reaches it. */
export interface TenantChoice extends Tenant {
  grantId: string
}

export interface TenantChoices {
  choices: TenantChoice[]
  loading: boolean
  /** Why some or all of the grants could not be asked. */
  problem: ApiProblem | null
  retry: () => void
  retrying: boolean
}

function tenantsQuery(api: Api, grantId: string) {
  return queryOptions({
    queryKey: ['tenants', grantId],
    queryFn: async ({ signal, client }) => {
      const query = { grantId }
      const listed = answered(
        await api.GET('/api/integrations/xero/tenants/list', { params: { query }, signal }),
      )
      // Asking Xero may have brought news of what is bound: somebody disconnected it there, say.
      void reload(client)
      return listed
    },
    // Xero decides what is in it: every opening asks afresh, and nothing else does.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  })
}

/**
 * What the grants reach, each tenant once. Straight after a consent the tenants that it
 * authorised come first; later, "just" would no longer be true of them.
 */
export function useTenantChoices(
  grantIds: readonly string[],
  { afterConsent }: { afterConsent: boolean },
): TenantChoices {
  const api = useApi()
  const queries = useQueries({ queries: grantIds.map((grantId) => tenantsQuery(api, grantId)) })
  const failed = queries.filter(({ isError }) => isError)
  const choices = arrange(
    queries.flatMap(({ data }) =>
      (data?.tenants ?? []).map((tenant) => ({
        ...tenant,
        justAuthorised: afterConsent && tenant.justAuthorised,
        grantId: data?.grantId ?? '',
      })),
    ),
  )
  const problems = failed.map(({ error }) => asProblem(error))
  return {
    choices,
    loading: queries.some(({ isPending }) => isPending),
    // A consent of a colleague's may be closed to this person: no matter while others are open.
    problem: problems.find(({ status }) => status !== 404 || choices.length === 0) ?? null,
    retry: () => {
      for (const query of failed) void query.refetch()
    },
    retrying: failed.some(({ isFetching }) => isFetching),
  }
}

const order = { available: 0, bound_here: 1, unavailable: 2 }

function arrange(tenants: TenantChoice[]): TenantChoice[] {
  const once = new Map<string, TenantChoice>()
  for (const tenant of tenants) {
    const known = once.get(tenant.tenantId)
    if (!known || (tenant.justAuthorised && !known.justAuthorised))
      once.set(tenant.tenantId, tenant)
  }
  return [...once.values()].sort(
    (one, other) =>
      Number(other.justAuthorised) - Number(one.justAuthorised) ||
      order[one.availability] - order[other.availability] ||
      one.tenantName.localeCompare(other.tenantName),
  )
}

export function isSelectable(tenant: Tenant): boolean {
  return tenant.availability !== 'unavailable'
}

/** The one to start with: the tenant that was just authorised, when there is exactly one. */
export function preselected(choices: readonly TenantChoice[]): string | null {
  const just = choices.filter((tenant) => tenant.justAuthorised)
  const [only] = just
  return only && just.length === 1 && isSelectable(only) ? only.tenantId : null
}
