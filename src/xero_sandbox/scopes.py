"""The scopes of Xero in 2026, and the rules for requesting them (facts §6)."""

_GRANULAR = ("invoices", "payments", "banktransactions", "manualjournals")
_REPORTS = (
    "aged balancesheet banksummary budgetsummary executivesummary profitandloss trialbalance "
    "taxreports tenninetynine"
)
_READ_OR_WRITE = ("settings", "contacts", "attachments")
_ROOTS = ("files", "assets", "projects", "practicemanager")
_OPEN_ENDED = ("payroll.", "finance.")

IDENTITY = frozenset({"openid", "profile", "email", "offline_access"})
BROAD = frozenset(
    {"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"}
)
APP_CONNECTIONS = "app.connections"


def _with_read(*scopes: str) -> set[str]:
    return {variant for scope in scopes for variant in (scope, f"{scope}.read")}


KNOWN = frozenset(
    IDENTITY
    | _with_read(*(f"accounting.{name}" for name in (*_GRANULAR, *_READ_OR_WRITE)))
    | {f"accounting.reports.{name}.read" for name in _REPORTS.split()}
    | {"accounting.budgets.read", "accounting.journals.read"}
    | _with_read(*_ROOTS)
    | {"bankfeeds", "paymentservices", APP_CONNECTIONS}
)


def unknown(requested: tuple[str, ...], *, broad_allowed: bool) -> list[str]:
    """Return the scopes that Xero refuses; apps created since 2026-03-02 get no broad ones."""
    accepted = KNOWN | BROAD if broad_allowed else KNOWN
    return [
        scope for scope in requested if scope not in accepted and not scope.startswith(_OPEN_ENDED)
    ]


def mixes_tenant_types(requested: tuple[str, ...]) -> bool:
    """Whether accounting and practicemanager are requested together, which Xero refuses."""
    roots = {scope.split(".")[0] for scope in requested}
    return {"accounting", "practicemanager"} <= roots


def permits(granted: set[str], needed: str, *, to_read: bool, broad_in_force: bool) -> bool:
    """Whether `granted` has `needed`, its broad parent, or for reading its `.read` form.

    `broad_in_force`: False once Xero has ended the broad scopes, which then permit nothing.
    """
    accepted = {needed, f"{needed}.read"} if to_read else {needed}
    if broad_in_force and needed.removeprefix("accounting.") in _GRANULAR:
        accepted |= {"accounting.transactions"}
        accepted |= {"accounting.transactions.read"} if to_read else set()
    return bool(granted & accepted)
