"""How a response ended a request, by its status: the values of the label `outcome`."""


def outcome_of(status: int) -> str:
    """Return `ok` below 400, `rate_limited` for 429, `refused` for other 4xx, `failed` for 5xx."""
    if status < 400:
        return "ok"
    if status == 429:
        return "rate_limited"
    return "refused" if status < 500 else "failed"


ANSWERED = ("ok", "refused", "rate_limited", "failed")
