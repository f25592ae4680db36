"""Xero's users and organisations, and what an administrator in Xero can do to them."""

import uuid
from dataclasses import replace

from xero_sandbox import samples
from xero_sandbox.model import Org, OrgStatus, Role, XeroUser


class NotInDirectory(LookupError):
    """A test named a user or organisation that does not exist."""


class Directory:
    """Users by xero_userid or key, organisations by tenant id."""

    def __init__(self) -> None:
        self._seeded = 0
        self.reset()

    def reset(self) -> None:
        """Return to the sample users and organisations."""
        self._users = {user.xero_user_id: user for user in samples.users()}
        self._by_key = {user.key: user for user in self._users.values()}
        self._sample_ids = frozenset(self._users)
        self._orgs = {org.tenant_id: org for org in samples.orgs()}

    def user(self, reference: str) -> XeroUser:
        """Find by xero_userid or by the sandbox's own key."""
        user = self._users.get(reference) or self._by_key.get(reference)
        if user is None:
            raise NotInDirectory(f"There is no Xero user {reference!r}.")
        return user

    def org(self, tenant_id: str) -> Org:
        """Find by tenant id; deleted organisations are still found."""
        org = self._orgs.get(tenant_id.lower())
        if org is None:
            raise NotInDirectory(f"There is no organisation {tenant_id!r}.")
        return org

    def find_org(self, tenant_id: str) -> Org | None:
        """Return the organisation, or None where there is none."""
        return self._orgs.get(tenant_id.lower())

    @property
    def users(self) -> list[XeroUser]:
        """Everybody, seeded users too."""
        return list(self._users.values())

    @property
    def sample_users(self) -> list[XeroUser]:
        """Those a person can pick on the consent page."""
        return [user for user in self._users.values() if user.xero_user_id in self._sample_ids]

    @property
    def orgs(self) -> list[Org]:
        """Every organisation, deleted ones too."""
        return list(self._orgs.values())

    def orgs_of(self, user: XeroUser) -> list[Org]:
        """Return the organisations this user could connect now."""
        return [org for org in self._orgs.values() if org.admits(user)]

    def another_user(self, user: XeroUser | None) -> XeroUser:
        """Return another user, for the fault that answers with the wrong one."""
        return next(other for other in self._users.values() if other is not user)

    def set_role(self, tenant_id: str, user: XeroUser, role: Role | None) -> None:
        """Give a user a role in an organisation, or remove them with None."""
        members = self.org(tenant_id).members
        if role is None:
            members.pop(user.xero_user_id, None)
        else:
            members[user.xero_user_id] = role

    def set_status(self, tenant_id: str, status: OrgStatus) -> None:
        """Take an organisation off line, end its trial, delete it or bring it back."""
        self.org(tenant_id).status = status

    def rename(self, tenant_id: str, name: str) -> None:
        """Rename an organisation; /connections shows the new name at once."""
        self.org(tenant_id).name = name

    def reset_demo(self, tenant_id: str) -> Org:
        """Reset a demo company: the old tenant is gone, a new one has its name and members."""
        old = self.org(tenant_id)
        new = replace(old, tenant_id=str(uuid.uuid4()), members=dict(old.members))
        old.status = "deleted"
        self._orgs[new.tenant_id] = new
        return new

    def seed(self) -> tuple[XeroUser, Org]:
        """Add a synthetic user with an organisation of their own."""
        self._seeded += 1
        user, org = samples.synthetic(self._seeded)
        self._users[user.xero_user_id] = self._by_key[user.key] = user
        self._orgs[org.tenant_id] = org
        return user, org
