"""Name the scope that a refused call lacks: which scopes cover which of Xero's resources.

The one table of it, from facts §6. A resource that is not in it is named by nothing here, and
Xero's refusal of it passes unchanged. Each scope also exists as `….read`; a few only so.
"""

from collections.abc import Collection, Sequence

_ACCOUNTING = {
    "accounting.invoices": "Invoices CreditNotes LinkedTransactions Quotes PurchaseOrders "
    "RepeatingInvoices Items",
    "accounting.payments": "Payments BatchPayments Overpayments Prepayments",
    "accounting.banktransactions": "BankTransactions BankTransfers",
    "accounting.settings": "Organisation Accounts TaxRates TrackingCategories Currencies "
    "BrandingThemes Users InvoiceReminders Items",
    # Resources that have the name of their scope.
    "accounting.manualjournals": "ManualJournals",
    "accounting.contacts": "Contacts",
    "accounting.budgets": "Budgets",
    "accounting.journals": "Journals",
}
_ATTACHMENTS = "accounting.attachments"  # below a record of any resource
_REPORTS = (
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "trialbalance",
    "tenninetynine",
)
_ROOTS = {"files.xro": "files", "assets.xro": "assets", "projects.xro": "projects"}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def missing_scope(
    method: str, path: str, granted: Collection[str], required: Sequence[str]
) -> str | None:
    """Return the configured scope that would permit a call and that the grant lacks.

    None where the grant has a scope for it, so that the refusal has another reason, such as the
    plan of the app or the user's role at Xero (facts §14); where none is configured, so that a new
    consent would not grant it; and where Xero has not stated the grant's scopes.
    """
    names = _scopes_of(path)
    permitting = {*names, *(f"{name}.read" for name in names if method in _SAFE_METHODS)}
    if not granted or permitting & set(granted):
        return None
    return next((scope for scope in required if scope in permitting), None)


def _scopes_of(path: str) -> list[str]:
    """Return the scopes, without `.read`, of which any one covers a path below an API root."""
    root, *segments = path.lower().split("/")
    if root in _ROOTS:
        return [_ROOTS[root]]
    if root != "api.xro" or len(segments) < 2:
        return []
    _version, resource, *rest = segments
    if "attachments" in rest:
        return [_ATTACHMENTS]
    if resource == "reports":
        return [f"accounting.reports.{name}" for name in rest[:1] if name in _REPORTS]
    return [scope for scope, covered in _ACCOUNTING.items() if resource in covered.lower().split()]
