import { queryOptions, useQueries } from '@tanstack/react-query'

import { useXeroService } from '@/api/xero-service'
import type { Api } from '@/api/client'
import { unwrap, toApiProblem, type ApiProblem } from '@/api/problem'
import { invalidateOrgData } from '@/api/invalidate'
import type { Tenant } from '@/api/types'

export const TENANTS_KEY = ['tenants'] as const

/** A tenant and the grant that reaches it. */
export interface TenantOption extends Tenant {
  grantId: string
}

export interface TenantOptions {
  options: TenantOption[]
  loading: boolean
  /** Why listing the tenants of some or all grants failed. */
  problem: ApiProblem | null
  retry: () => void
  retrying: boolean
}

export function tenantsQuery(api: Api, grantId: string) {
  return queryOptions({
    queryKey: [...TENANTS_KEY, grantId],
    queryFn: async ({ signal, client }) => {
      const query = { grantId }
      const listed = unwrap(
        await api.GET('/api/integrations/xero/tenants/list', { params: { query }, signal }),
      )
      // The service updates bindings from Xero's list, for example after a disconnect at Xero.
      void invalidateOrgData(client)
      return listed
    },
    // Fetched once for each opening of the dialog, because only Xero knows the list; the dialog
    // that "Connect Xero" opens shows what the button has just fetched.
    staleTime: 2_000,
    gcTime: 2_000,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  })
}

/**
 * Lists the tenants that the grants reach, each once. Directly after a consent, the tenants that
 * it authorised come first and are marked as just authorised.
 */
export function useTenantOptions(
  grantIds: readonly string[],
  { afterConsent }: { afterConsent: boolean },
): TenantOptions {
  const { api, queryClient } = useXeroService()
  const queries = useQueries(
    { queries: grantIds.map((grantId) => tenantsQuery(api, grantId)) },
    queryClient,
  )
  const failed = queries.filter(({ isError }) => isError)
  const options = mergeAndSort(
    queries.flatMap(({ data }) =>
      (data?.tenants ?? []).map((tenant) => ({
        ...tenant,
        justAuthorised: afterConsent && tenant.justAuthorised,
        grantId: data?.grantId ?? '',
      })),
    ),
  )
  const problems = failed.map(({ error }) => toApiProblem(error))
  return {
    options,
    loading: queries.some(({ isPending }) => isPending),
    // A colleague's consent answers 404 to this user; it is ignored while other grants list tenants.
    problem: problems.find(({ status }) => status !== 404 || options.length === 0) ?? null,
    retry: () => {
      for (const query of failed) void query.refetch()
    },
    retrying: failed.some(({ isFetching }) => isFetching),
  }
}

const AVAILABILITY_ORDER = { available: 0, bound_here: 1, unavailable: 2 }

function mergeAndSort(tenants: TenantOption[]): TenantOption[] {
  const once = new Map<string, TenantOption>()
  for (const tenant of tenants) {
    const known = once.get(tenant.tenantId)
    if (!known || (tenant.justAuthorised && !known.justAuthorised))
      once.set(tenant.tenantId, tenant)
  }
  return [...once.values()].sort(
    (one, other) =>
      Number(other.justAuthorised) - Number(one.justAuthorised) ||
      AVAILABILITY_ORDER[one.availability] - AVAILABILITY_ORDER[other.availability] ||
      one.tenantName.localeCompare(other.tenantName),
  )
}

export function isSelectable(tenant: Tenant): boolean {
  return tenant.availability !== 'unavailable'
}

/** Returns the tenants to preselect: those that were just authorised. */
export function defaultTenantIds(options: readonly TenantOption[]): string[] {
  return options
    .filter((tenant) => tenant.justAuthorised && isSelectable(tenant))
    .map(({ tenantId }) => tenantId)
}
