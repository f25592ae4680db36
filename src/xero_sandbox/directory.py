"""The directory of Xero's users and organisations, and an administrator's changes to it."""

import uuid
from dataclasses import replace

from xero_sandbox import samples
from xero_sandbox.model import Org, OrgStatus, Role, XeroUser


class NotInDirectory(LookupError):
    """A control request names a user or organisation that does not exist."""


class Directory:
    """Users by xero_userid or key, and organisations by tenant id."""

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
        """Return the user with this xero_userid or key; raises NotInDirectory."""
        user = self._users.get(reference) or self._by_key.get(reference)
        if user is None:
            raise NotInDirectory(f"There is no Xero user {reference!r}.")
        return user

    def org(self, tenant_id: str) -> Org:
        """Return the organisation with this tenant id, deleted or not; raises NotInDirectory."""
        org = self._orgs.get(tenant_id.lower())
        if org is None:
            raise NotInDirectory(f"There is no organisation {tenant_id!r}.")
        return org

    def find_org(self, tenant_id: str) -> Org | None:
        """Return the organisation with this tenant id, deleted or not, or None."""
        return self._orgs.get(tenant_id.lower())

    @property
    def users(self) -> list[XeroUser]:
        """All users, including the seeded ones."""
        return list(self._users.values())

    @property
    def sample_users(self) -> list[XeroUser]:
        """The users that the consent page offers."""
        return [user for user in self._users.values() if user.xero_user_id in self._sample_ids]

    @property
    def orgs(self) -> list[Org]:
        """All organisations, including deleted and seeded ones."""
        return list(self._orgs.values())

    def orgs_of(self, user: XeroUser) -> list[Org]:
        """Return the organisations that this user may connect now."""
        return [org for org in self._orgs.values() if org.admits(user)]

    def another_user(self, user: XeroUser | None) -> XeroUser:
        """Return a different user, for faults that respond with the wrong user."""
        return next(other for other in self._users.values() if other is not user)

    def set_role(self, tenant_id: str, user: XeroUser, role: Role | None) -> None:
        """Set a user's role in an organisation; None removes the user from it."""
        members = self.org(tenant_id).members
        if role is None:
            members.pop(user.xero_user_id, None)
        else:
            members[user.xero_user_id] = role

    def set_status(self, tenant_id: str, status: OrgStatus) -> None:
        """Set an organisation's status: offline, trial ended, deleted or active again."""
        self.org(tenant_id).status = status

    def rename(self, tenant_id: str, name: str) -> None:
        """Rename an organisation; /connections shows the new name at once."""
        self.org(tenant_id).name = name

    def reset_demo(self, tenant_id: str) -> Org:
        """Reset a demo company: delete the tenant, and add a new one with its name and members."""
        old = self.org(tenant_id)
        new = replace(old, tenant_id=str(uuid.uuid4()), members=dict(old.members))
        old.status = "deleted"
        self._orgs[new.tenant_id] = new
        return new

    def seed(self) -> tuple[XeroUser, Org]:
        """Add a synthetic user with one organisation, and return both."""
        self._seeded += 1
        user, org = samples.synthetic(self._seeded)
        self._users[user.xero_user_id] = self._by_key[user.key] = user
        self._orgs[org.tenant_id] = org
        return user, org
