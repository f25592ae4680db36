import { english } from '@/messages/english'

/** An error response of the service (RFC 9457). Every failed request throws this exception. */
export class ApiProblem extends Error {
  readonly status: number
  /** Stable code, for comparisons. */
  readonly code: string
  /** Sentence for users. */
  readonly detail: string
  readonly requestId: string | null

  constructor(problem: {
    status: number
    code: string
    detail: string
    requestId?: string | null
  }) {
    super(problem.detail)
    this.name = 'ApiProblem'
    this.status = problem.status
    this.code = problem.code
    this.detail = problem.detail
    this.requestId = problem.requestId ?? null
  }

  /** No response: the network, the host or a proxy failed. */
  static unreachable(): ApiProblem {
    return new ApiProblem({
      status: 0,
      code: 'unreachable',
      detail: english.problems.unreachable,
    })
  }

  static signedOut(): ApiProblem {
    return new ApiProblem({
      status: 401,
      code: 'signed_out',
      detail: english.problems.signed_out,
    })
  }

  /** Parses a response. A body that is not a problem document, such as a proxy's HTML, is not shown. */
  static async from(response: Response): Promise<ApiProblem> {
    const body: unknown = await response.json().catch(() => null)
    const fields = isRecord(body) ? body : {}
    return new ApiProblem({
      status: response.status,
      code: nonEmptyString(fields['code']) ?? 'unexpected_answer',
      detail:
        nonEmptyString(fields['detail']) ??
        nonEmptyString(fields['title']) ??
        english.problems.unexpected_answer,
      requestId: nonEmptyString(fields['requestId']),
    })
  }
}

/** Returns the body of a successful response; the client has already thrown for a failed one. */
export function unwrap<Body>(result: { data?: Body }): Body {
  if (result.data === undefined) throw ApiProblem.unreachable()
  return result.data
}

/** Converts any thrown value to an `ApiProblem` with a message for users. */
export function toApiProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  return new ApiProblem({
    status: 0,
    code: 'unexpected_error',
    detail: english.problems.unexpected_error,
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function nonEmptyString(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
