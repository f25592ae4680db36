"""The sample people and orgs of the session issuer; their ids are constants."""

from dataclasses import dataclass
from typing import Literal

OrgRole = Literal["admin", "member"]


@dataclass(frozen=True)
class SessionOrg:
    """An org that signs in to the app under test."""

    id: str
    name: str
    slug: str


@dataclass(frozen=True)
class Person:
    """A person who can sign in to the app under test, with a role in each org."""

    id: str
    name: str
    email: str
    roles: dict[str, OrgRole]


ORGS = {
    org.id: org
    for org in (
        SessionOrg("org_acme", "Acme", "acme"),
        SessionOrg("org_globex", "Globex", "globex"),
    )
}
PEOPLE = {
    person.id: person
    for person in (
        Person("user_acme_admin", "Acme admin", "admin@acme.example.com", {"org_acme": "admin"}),
        Person(
            "user_acme_member", "Acme member", "member@acme.example.com", {"org_acme": "member"}
        ),
        Person(
            "user_globex_admin",
            "Globex admin",
            "admin@globex.example.com",
            {"org_globex": "admin"},
        ),
        Person(
            "user_accountant",
            "Accountant",
            "accountant@example.com",
            {"org_acme": "admin", "org_globex": "admin"},
        ),
    )
}
