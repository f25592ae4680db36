"""The accounting records: a few samples per organisation, and the records that callers add."""

import uuid
from typing import Any

from xero_sandbox.model import Org

SCOPES = {
    "Organisation": "accounting.settings",
    "Accounts": "accounting.settings",
    "TaxRates": "accounting.settings",
    "TrackingCategories": "accounting.settings",
    "Currencies": "accounting.settings",
    "BrandingThemes": "accounting.settings",
    "Users": "accounting.settings",
    "Contacts": "accounting.contacts",
    "Invoices": "accounting.invoices",
    "CreditNotes": "accounting.invoices",
    "Quotes": "accounting.invoices",
    "PurchaseOrders": "accounting.invoices",
    "Payments": "accounting.payments",
    "BankTransactions": "accounting.banktransactions",
    "ManualJournals": "accounting.manualjournals",
}
WRITABLE = {"Contacts": "ContactID", "Invoices": "InvoiceID"}


class AccountingData:
    """The fixed sample records, and those written to each tenant."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def reset(self) -> None:
        """Remove the written records."""
        self._written.clear()

    def read(self, org: Org, resource: str) -> list[dict[str, Any]]:
        """Return the records of one resource, the samples first."""
        return _samples(org).get(resource, []) + self._written.get((org.tenant_id, resource), [])

    def write(self, org: Org, resource: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add records, under new ids where they have none, and return them as stored."""
        stored = [{WRITABLE[resource]: str(uuid.uuid4()), **record} for record in records]
        self._written.setdefault((org.tenant_id, resource), []).extend(stored)
        return stored


def _samples(org: Org) -> dict[str, list[dict[str, Any]]]:
    contact = {
        "ContactID": str(uuid.uuid5(uuid.UUID(org.tenant_id), "contact")),
        "ContactStatus": "ACTIVE",
        "Name": "City Limousines",
        "EmailAddress": "accounts@example.com",
    }
    return {
        "Organisation": [_organisation(org)],
        "Contacts": [contact],
        "Invoices": [
            {
                "InvoiceID": str(uuid.uuid5(uuid.UUID(org.tenant_id), "invoice")),
                "InvoiceNumber": "INV-0001",
                "Type": "ACCREC",
                "Status": "AUTHORISED",
                "Contact": {"ContactID": contact["ContactID"], "Name": contact["Name"]},
                "CurrencyCode": org.currency,
                "Total": 541.25,
                "AmountDue": 541.25,
            }
        ],
    }


def _organisation(org: Org) -> dict[str, Any]:
    """Return the fields of the Organisation record that facts §5 lists."""
    return {
        "Name": org.name,
        "LegalName": org.name,
        "PaysTax": True,
        "Version": org.country,
        "OrganisationType": "COMPANY",
        "BaseCurrency": org.currency,
        "CountryCode": org.country,
        "IsDemoCompany": org.is_demo,
        "OrganisationStatus": "ACTIVE",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        "CreatedDateUTC": "/Date(1584583428197)/",
        "OrganisationEntityType": "COMPANY",
        "Timezone": "NEWZEALANDSTANDARDTIME",
        "ShortCode": f"!{org.tenant_id[-5:]}",
        "OrganisationID": org.tenant_id,
        "Edition": "BUSINESS",
        "Class": "DEMO" if org.is_demo else "STANDARD",
        "Addresses": [],
        "Phones": [],
        "ExternalLinks": [],
        "PaymentTerms": {},
    }
