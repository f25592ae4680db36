import { useQuery } from '@tanstack/react-query'

import { bindingsQuery } from '@/api/bindings'
import { toApiProblem, type ApiProblem } from '@/api/problem'
import type { ActivityEvent, Binding, DisconnectResult, RefreshResult } from '@/api/types'
import { useDisconnect } from '@/api/use-disconnect'
import { useRefreshTokens } from '@/api/use-refresh-tokens'
import { useXeroService } from '@/api/xero-service'
import { useActivity } from '@/features/activity/use-activity'
import { useConnect } from '@/features/connect/use-connect'
import { problemText, useMessages } from '@/messages'

/** The headless hooks of the package: what the components use, for a host's own components. */

/** Returns a function that says in the host's texts what failed and what to do. */
export function useXeroProblemText(): (problem: ApiProblem) => string {
  const messages = useMessages()
  return (problem) => problemText(messages, problem)
}

function problemOf(error: Error | null): ApiProblem | null {
  return error && toApiProblem(error)
}

export interface XeroBindings {
  /** Undefined until the first answer. */
  bindings: Binding[] | undefined
  isPending: boolean
  problem: ApiProblem | null
  refetch: () => void
}

/** Returns the organisation's bindings. */
export function useXeroBindings(): XeroBindings {
  const { api, queryClient } = useXeroService()
  const { data, error, isPending, refetch } = useQuery(bindingsQuery(api), queryClient)
  return { bindings: data, isPending, problem: problemOf(error), refetch: () => void refetch() }
}

export interface ConnectXero {
  /** Leaves for Xero's consent page; with a binding's id, to reconnect it. A toast shows a failure. */
  connect: (bindingId?: string) => void
  isPending: boolean
}

/** Returns how an admin connects Xero. `XeroConnections` takes up the result of the consent. */
export function useConnectXero(): ConnectXero {
  const { start, reconnect, pendingTrigger } = useConnect()
  return {
    connect: (bindingId) => (bindingId === undefined ? start('host') : reconnect(bindingId)),
    isPending: pendingTrigger !== null,
  }
}

export interface RefreshXero {
  refresh: () => void
  isPending: boolean
  result: RefreshResult | undefined
  problem: ApiProblem | null
}

/** Returns how a member refreshes the organisation's tokens, and checks what they reach. */
export function useRefreshXero(): RefreshXero {
  const { mutate, isPending, data, error } = useRefreshTokens()
  return { refresh: () => mutate(), isPending, result: data, problem: problemOf(error) }
}

export interface DisconnectXero {
  disconnect: (binding: Binding) => void
  isPending: boolean
  result: DisconnectResult | undefined
  problem: ApiProblem | null
}

/** Returns how an admin disconnects a binding. */
export function useDisconnectXero(): DisconnectXero {
  const { mutate, isPending, data, error } = useDisconnect()
  return {
    disconnect: (binding) => mutate(binding),
    isPending,
    result: data,
    problem: problemOf(error),
  }
}

export interface XeroActivity {
  /** The loaded events, newest first. */
  events: ActivityEvent[]
  isPending: boolean
  problem: ApiProblem | null
  hasMore: boolean
  fetchMore: () => void
}

/** Returns the organisation's activity, for its admins. */
export function useXeroActivity(): XeroActivity {
  const { query, isPending } = useActivity()
  return {
    events: query.data?.pages.flatMap(({ events }) => events) ?? [],
    isPending,
    problem: problemOf(query.error),
    hasMore: query.hasNextPage,
    fetchMore: () => void query.fetchNextPage(),
  }
}
