/** What the service says when it says no (RFC 9457), as the one exception that callers see. */
export class ApiProblem extends Error {
  readonly status: number
  /** Stable, for code to compare. */
  readonly code: string
  /** A sentence, for people to read. */
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

  /** No answer came: the connection, the host or a proxy is at fault. */
  static unreachable(): ApiProblem {
    return new ApiProblem({
      status: 0,
      code: 'unreachable',
      detail: 'The service could not be reached. Check your connection and try again.',
    })
  }

  static signedOut(): ApiProblem {
    return new ApiProblem({
      status: 401,
      code: 'signed_out',
      detail: 'Your session has ended. Sign in again to go on.',
    })
  }

  /** Reads an answer; one that is no problem document (a proxy's HTML, say) is never shown. */
  static async from(response: Response): Promise<ApiProblem> {
    const body: unknown = await response.json().catch(() => null)
    const said = isRecord(body) ? body : {}
    return new ApiProblem({
      status: response.status,
      code: text(said['code']) ?? 'unexpected_answer',
      detail:
        text(said['detail']) ??
        text(said['title']) ??
        `The service gave an unexpected answer (${response.status}). Try again in a moment.`,
      requestId: text(said['requestId']),
    })
  }
}

/** The body of a good answer; what is not one has been thrown by the client already. */
export function answered<Body>(result: { data?: Body }): Body {
  if (result.data === undefined) throw ApiProblem.unreachable()
  return result.data
}

/** Any failure as something that can be shown. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error
  return new ApiProblem({
    status: 0,
    code: 'unexpected_error',
    detail: 'Something went wrong on this page. Reload it and try again.',
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
