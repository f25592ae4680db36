"""The sample Xero users and organisations of every sandbox; their ids are constants."""

import uuid
from dataclasses import replace

from xero_sandbox.model import Org, XeroUser


def _user(number: int, given_name: str, family_name: str) -> XeroUser:
    return XeroUser(
        key=f"xero-user-{number}",
        xero_user_id=f"10000000-0000-4000-8000-{number:012d}",
        email=f"{given_name}.{family_name}@example.com".lower(),
        given_name=given_name,
        family_name=family_name,
    )


ACME_BOOKKEEPER = _user(1, "Acme", "bookkeeper")
GLOBEX_BOOKKEEPER = _user(2, "Globex", "bookkeeper")
ACCOUNTANT = _user(3, "Sample", "accountant")
TEN_ORGS_OWNER = _user(4, "Ten-organisations", "owner")

ACME_TRADING = "20000000-0000-4000-8000-000000000001"
ACME_SERVICES = "20000000-0000-4000-8000-000000000002"
DEMO_COMPANY = "20000000-0000-4000-8000-000000000003"
GLOBEX = "20000000-0000-4000-8000-000000000004"
PRACTICE = "20000000-0000-4000-8000-000000000005"
TEN_ORGS = tuple(f"20000000-0000-4000-8000-{100 + n:012d}" for n in range(1, 11))

_TOWNS = (
    "Auckland",
    "Brisbane",
    "Cardiff",
    "Dunedin",
    "Edinburgh",
    "Fremantle",
    "Geelong",
    "Hamilton",
    "Invercargill",
    "Jersey",
)


def users() -> list[XeroUser]:
    """Return fresh copies of the sample users."""
    return [
        replace(user) for user in (ACME_BOOKKEEPER, GLOBEX_BOOKKEEPER, ACCOUNTANT, TEN_ORGS_OWNER)
    ]


def orgs() -> list[Org]:
    """Return fresh copies of the sample organisations."""
    acme, globex = ACME_BOOKKEEPER.xero_user_id, GLOBEX_BOOKKEEPER.xero_user_id
    accountant, owner = ACCOUNTANT.xero_user_id, TEN_ORGS_OWNER.xero_user_id
    return [
        Org(ACME_TRADING, "Acme Trading Ltd", members={acme: "standard", accountant: "adviser"}),
        Org(ACME_SERVICES, "Acme Services Ltd", members={acme: "standard", accountant: "adviser"}),
        Org(
            DEMO_COMPANY,
            "Demo Company (NZ)",
            is_demo=True,
            members={acme: "standard", accountant: "adviser"},
        ),
        Org(
            GLOBEX,
            "Globex Ltd",
            country="AU",
            currency="AUD",
            members={globex: "standard", accountant: "adviser"},
        ),
        Org(
            PRACTICE,
            "Sample Practice",
            tenant_type="PRACTICE",
            members={accountant: "adviser"},
        ),
        *(
            Org(tenant_id, f"{town} Branch Ltd", members={owner: "adviser"})
            for tenant_id, town in zip(TEN_ORGS, _TOWNS, strict=True)
        ),
    ]


def synthetic(number: int) -> tuple[XeroUser, Org]:
    """Return a new synthetic user with one organisation."""
    user = XeroUser(
        key=f"seeded-user-{number}",
        xero_user_id=str(uuid.uuid4()),
        email=f"seeded-{number}@example.com",
        given_name="Seeded",
        family_name=f"user {number}",
    )
    org = Org(
        str(uuid.uuid4()), f"Seeded Company {number}", members={user.xero_user_id: "standard"}
    )
    return user, org
