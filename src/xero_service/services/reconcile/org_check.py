"""Refresh an org's tokens, then ask Xero which tenants each of its active grants still reaches."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from xero_service.domain import BindingStatus, BoundGrant, GrantStatus
from xero_service.errors import ExternalAPIError, IntegrationError
from xero_service.services.reconcile.service import ReconcileService
from xero_service.services.tokens.service import BindingError, RefreshReport, TokenService
from xero_service.store.database import Database
from xero_service.telemetry import logger
from xero_service.timeouts import CHECK_WAIT_SECONDS

TENANT_LOST = "tenant_lost"

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class OrgCheck:
    """Refreshes and checks all grants of an org, for a caller who wants to know now."""

    database: Database
    tokens: TokenService
    reconcile: ReconcileService

    async def refresh_and_check_org(self, org_id: str | None) -> RefreshReport:
        """Refresh as `proactive_refresh_for_org` does, then check every active grant.

        A grant is checked at most once a minute. The report names, beside what could not be
        refreshed, each binding that was active and whose tenant is lost (`tenant_lost`), or that
        could not be checked. A failure does not stop the others.
        """
        if org_id is None:
            return RefreshReport()
        before = await self._bound(org_id)
        report = await self.tokens.proactive_refresh_for_org(org_id)
        grant_ids = {b.grant.id for b in before if b.grant.status is GrantStatus.ACTIVE}
        outcomes = await asyncio.gather(*map(self._try_check, grant_ids))
        failed = {
            grant_id: code for grant_id, code in zip(grant_ids, outcomes, strict=True) if code
        }
        after = await self._bound(org_id)
        return replace(
            report,
            has_active_bindings=any(_is_active(each) for each in after),
            errors=(*report.errors, *_check_errors(report, before, after, failed)),
        )

    async def _bound(self, org_id: str) -> tuple[BoundGrant, ...]:
        async with self.database.transaction() as tx:
            return await tx.bindings.of_org(org_id)

    async def _try_check(self, grant_id: UUID) -> str | None:
        """Check a grant; return the code of the error, if any. A check that is late goes on."""
        try:
            async with asyncio.timeout(CHECK_WAIT_SECONDS):
                await self.reconcile.check(grant_id)
        except TimeoutError:
            return ExternalAPIError.code
        except IntegrationError as error:
            return error.code
        except Exception:
            log.exception("a check failed unexpectedly", grant_id=grant_id)
            return IntegrationError.code
        return None


def _is_active(bound: BoundGrant) -> bool:
    return bound.binding.status is BindingStatus.ACTIVE


def _check_errors(
    report: RefreshReport,
    before: Sequence[BoundGrant],
    after: Sequence[BoundGrant],
    failed: dict[UUID, str],
) -> list[BindingError]:
    """Return what the check found for bindings that were active and have no error yet."""
    known = {error.binding_id for error in report.errors}
    lost = {b.binding.id for b in after if b.binding.status is BindingStatus.NEEDS_REAUTH}
    errors = []
    for each in before:
        if not _is_active(each) or each.binding.id in known:
            continue
        if code := failed.get(each.grant.id):
            errors.append(BindingError(each.binding.id, code))
        elif each.binding.id in lost:
            errors.append(BindingError(each.binding.id, TENANT_LOST))
    return errors
