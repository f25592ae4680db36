"""A whole day: all that people, services, Xero and operators do, and all that goes wrong."""

import contextlib
import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.events.receiver import Receiver, receiving
from tests.leaks.watch import Said, Watch
from tests.notices.mail_server import MailServer
from tests.people import Person
from tests.service_api.callers import Service, idle, service
from tests.world import ACME, World
from tests.xero_webhooks.signed import batch, key_of, send, xero_event
from xero_sandbox.samples import ACME_BOOKKEEPER as BOOKKEEPER
from xero_sandbox.samples import ACME_SERVICES, ACME_TRADING
from xero_service.app import PREFIX
from xero_service.crypto import KeyRing
from xero_service.domain import SYSTEM
from xero_service.errors import IntegrationError
from xero_service.services.bindings import BindingsService
from xero_service.services.key_rotation import RewrapService

# Each breaks a refresh or an exchange in its own way, and most have Xero say something odd.
FAULTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("500", "after", {}),
    ("html403", "before", {}),
    ("429", "before", {}),
    ("drop", "after", {}),
    ("malformed_json", "after", {}),
    ("missing_refresh_token", "after", {}),
    ("invalid_client", "before", {}),
    ("wrong_user", "after", {}),
    ("changed_fields", "after", {"token_type": "mac"}),
    ("changed_fields", "after", {"expires_in": "soon"}),
]


# What time, the configuration and Xero make true.
KINDS = {
    *("binding.expiring", "binding.permissions_missing", "binding.renamed", "binding.recovered"),
    *("binding.suspended", "xero.invoice.update"),
}


@dataclass
class Day:
    """The people and the services of a day, and who watches them."""

    world: World
    watch: Watch
    admin: Person
    http: httpx.AsyncClient
    mail_server: MailServer

    async def passes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.watch.keep("name", BOOKKEEPER.email, BOOKKEEPER.name)
        self.watch.keep("client_secret", _secret(self.world, "xero_client_secret"))
        self.watch.keep("encryption key", _secret(self.world, "encryption_key"))
        async with receiving(self.world) as receiver:
            self.watch.keep("webhook secret", *receiver.secrets)
            await self.hours(monkeypatch)
            await self.events_leave(receiver)

    async def hours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        await self.people_connect()
        binding = await self.admin.connects(ACME_TRADING)
        billing = await self.service_key()
        await self.services_call(billing, binding["id"])
        await self.consents_fail()
        await self.refreshes_fail(binding, billing)
        await self.callers_err(billing, binding["id"])
        await self.we_err(monkeypatch, billing)
        await self.warnings_arise()
        await self.mails_leave()
        await self.people_leave(billing)

    async def people_connect(self) -> None:
        """By the header and by a navigation; again; and looking around."""
        self.admin.wears(self.admin.token())
        await self.http.get(f"{PREFIX}/start", headers={"Accept": "text/html"})
        await self.admin.http.get(f"{PREFIX}/start", headers={"Accept": "text/html"})
        landing = await self.admin.consents(ACME_SERVICES)
        await self.admin.tenants(landing.grant_id)
        await self.admin.selects(landing.grant_id, ACME_SERVICES)
        for path in ("/bindings", "/activity", "/bindings?status=revoked"):
            await self.admin.get(path)

    async def service_key(self) -> Service:
        made = await service(self.world.application, http=self.http)
        self.watch.keep("service key", made.made.secret, made.made.secret.rsplit("_", 1)[1])
        return made

    async def services_call(self, billing: Service, binding_id: str) -> None:
        await billing.token(binding_id)
        await billing.token(binding_id, minValiditySeconds=1500)
        await billing.calls(binding_id)
        await billing.calls(binding_id, "api.xro/2.0/Contacts", "POST", json={"Contacts": []})
        await billing.calls(binding_id, "connections")
        self.world.sandbox.advance(1900)  # Xero's clock is ahead: TokenExpired, renewed, repeated
        await billing.calls(binding_id)
        await billing.request("GET", "/bindings")
        await billing.request("POST", "/refresh")

    async def consents_fail(self) -> None:
        cancelled = self.world.sandbox.cancel(await self.admin.starts(), BOOKKEEPER.xero_user_id)
        await self.admin.returns(cancelled)
        elsewhere = await self.admin.allows()
        await self.http.get(elsewhere)  # another browser
        await self.admin.returns(elsewhere)  # too late
        await self.admin.returns(elsewhere, headers={"Sec-Purpose": "prefetch"})
        hostile = (await self.admin.allows()) + "&error=<script>&iss=elsewhere"
        await self.admin.returns(hostile)
        for fault, when, changes in [
            *FAULTS,
            ("changed_id_token", "after", {"nonce": "another"}),
            ("forged_id_token", "after", {}),
        ]:
            back = await self.admin.allows()
            self.world.sandbox.fault("token.code", fault, when=when, changes=changes)
            await self.admin.returns(back)
        await self.consents_again()

    async def consents_again(self) -> None:
        landing = await self.admin.consents()
        await self.admin.selects(landing.grant_id, ACME_TRADING)

    async def refreshes_fail(self, binding: dict[str, Any], billing: Service) -> None:
        grant_id = (await self.admin.bindings())[ACME_TRADING]["grantId"]
        for fault, when, changes in FAULTS:
            await self.world.hurries()
            await self.world.ages(grant_id, expires_in="2 minutes")
            self.world.sandbox.fault("token.refresh", fault, when=when, changes=changes)
            await self.admin.refreshes()
            await billing.token(binding["id"], minValiditySeconds=1500)
            self.world.sandbox.clear_faults()
        await self.world.hurries()
        await self.world.ages(grant_id)
        self.world.sandbox.advance(61 * 24 * 3600)  # the refresh token died of age
        await self.admin.refreshes()
        await self.world.services.operators.suspend(SYSTEM, UUID(binding["id"]))
        await billing.token(binding["id"])
        await self.world.services.operators.resume(SYSTEM, UUID(binding["id"]))
        await self.consents_again()

    async def callers_err(self, billing: Service, binding_id: str) -> None:
        """Secrets where they do not belong: nothing that was sent comes back or is kept."""
        stray = secrets.token_urlsafe(32)
        self.watch.keep("stray", stray)
        secret = {"token": stray, "refreshToken": stray, "grantId": stray, stray: stray}
        for path in ("/tenants/select", "/disconnect", f"/bindings/{binding_id}/token", "/refresh"):
            await self.admin.post(path, secret)
            await billing.request("POST", path, json=secret)
        await self.admin.post("/tenants/select", stray)
        await self.admin.request("POST", "/disconnect", content=stray.encode())
        for path in ("/bindings", "/start", "/tenants/list", "/activity", "/callback", "/nothing"):
            await self.admin.get(path, params={"token": stray, "returnTo": stray, "after": stray})
            await self.admin.get(path, params={"status": stray, "grantId": stray, "state": stray})
        await self.admin.get(f"/bindings/{stray}/token")
        await billing.calls(stray, stray)
        await billing.calls(binding_id, f"{stray}/..")
        for credential in (stray, f"xsk_{stray}", f"eyJ{stray}.{stray}.{stray}"):
            await self.http.get(
                f"{PREFIX}/bindings",
                headers={"Authorization": f"Bearer {credential}", "X-Api-Key": stray},
            )

    async def we_err(self, monkeypatch: pytest.MonkeyPatch, billing: Service) -> None:
        """An error that nobody foresaw, with every secret at hand; and an altered ciphertext."""
        known = {kind: sorted(values) for kind, values in self.watch.secrets.items()}

        async def fail(*_: object) -> None:
            said = known  # in the frame, and below in the message as libraries would put it
            try:
                raise ValueError(f"unexpected answer: {said['access_token'][0]}")
            except ValueError as error:
                raise RuntimeError(
                    {"refresh_token": said["refresh_token"][0], "headers": said["client_secret"]},
                    f"code={said['code'][0]}",
                    said["session token"],
                ) from error

        with monkeypatch.context() as broken:
            broken.setattr(BindingsService, "of_org", fail)
            await self.admin.get("/bindings")
            await billing.request("GET", "/bindings")
        await self.world.database.execute(
            "UPDATE integration_grants SET access_token_enc = refresh_token_enc"
        )
        binding = (await self.admin.bindings())[ACME_TRADING]
        await billing.token(binding["id"])
        await billing.calls(binding["id"])
        await self.admin.get("/tenants/list", params={"grantId": binding["grantId"]})
        await self.consents_again()

    async def people_leave(self, billing: Service) -> None:
        await self.rewraps()
        bindings = await self.admin.bindings()
        self.world.sandbox.fault("revocation", "500", times=1)
        for tenant in (ACME_SERVICES, ACME_TRADING):
            await self.admin.disconnects(bindings[tenant]["id"])
        await self.world.services.keys.revoke(SYSTEM, billing.made.key.id)
        await self.rounds()
        await billing.token(bindings[ACME_TRADING]["id"])
        await self.http.get("/metrics")
        await self.http.get("/readyz")
        await idle(self.world.application)

    async def warnings_arise(self) -> None:
        """S58: of age, of missing scopes and of a new name; and what Xero's webhooks report."""
        world, upkeep = self.world, self.world.services.upkeep
        key = key_of(world.application.settings)
        self.watch.keep("key of Xero's webhooks", key)
        body = batch(1, *map(xero_event, (ACME_TRADING, ACME_SERVICES)))
        for signing in (key, key, "another key"):
            await send(self.http, body, signing)
        grant_id = (await self.admin.bindings())[ACME_TRADING]["grantId"]
        world.sandbox.rename_org(ACME_TRADING, "Acme Under Another Name Ltd")
        await upkeep.reconcile.reconcile(UUID(grant_id))
        await world.ages(grant_id, expires_in="30 minutes", days=51)
        await world.database.execute("UPDATE integration_grants SET scopes = '{openid}'")
        await upkeep._warn()
        await self.consents_again()
        await upkeep._warn()

    async def mails_leave(self) -> None:
        """S65: to a server that first refuses the recipient by name; then the link is followed."""
        assert self.mail_server.user is not None
        self.watch.keep("mail password", self.mail_server.user[1])
        self.watch.keep("team address", *self.world.application.settings.notices_to)
        database, upkeep = self.world.database, self.world.services.upkeep
        await database.execute("UPDATE integration_tenant_bindings SET status = 'needs_reauth'")
        self.mail_server.refuses = lambda to: f"450 {to} is away"
        await upkeep._send_notices()
        self.mail_server.refuses = lambda _: None
        await database.execute("UPDATE notices SET next_attempt_at = now()")
        await upkeep._send_notices()
        assert len(self.mail_server.mails) == 4, "of two bindings, to two recipients"
        for mail in self.mail_server.mails:
            self.watch.keep("unsubscribe token", mail.unsubscribe_url.partition("token=")[2])
            await self.http.get(mail.unsubscribe_url)
            await self.http.post(mail.unsubscribe_url, data={"List-Unsubscribe": "One-Click"})
            await self.http.get(f"{mail.unsubscribe_url}x")
        await database.execute("UPDATE integration_tenant_bindings SET status = 'active'")

    async def events_leave(self, receiver: Receiver) -> None:
        """S58: to an endpoint that first refuses and repeats what it got, and to a poller.

        Its secret is being replaced meanwhile.
        """
        receiver.secrets.append(
            (await self.world.services.webhooks.rotate(SYSTEM, receiver.endpoint_id)).secret
        )
        self.watch.keep("webhook secret", *receiver.secrets)
        receiver.behaves = lambda received: f"500 No\n\n{received.body.decode()}"
        await self.world.services.deliveries.deliver_due()
        receiver.behaves = lambda _: "204 No Content"
        await self.world.services.webhooks.enable(SYSTEM, receiver.endpoint_id)
        await self.world.database.execute("UPDATE webhook_deliveries SET next_attempt_at = now()")
        await self.world.services.deliveries.deliver_due()
        reader = await service(self.world.application, "events:read", http=self.http)
        self.watch.keep("service key", reader.made.secret)
        polled = (await reader.request("GET", "/events", params={"limit": 200})).json()["events"]
        assert len(receiver.events()) >= len(polled) > 5
        missed = KINDS - {each["kind"] for each in polled}
        assert missed == set(), missed
        for each in receiver.received:
            text = f"{each.headers}\n\n{each.body.decode()}"
            self.watch.said.append(Said("POST", "/webhook", 204, text))

    async def rewraps(self) -> None:
        settings = self.world.application.settings
        new = secrets.token_bytes(32)
        self.watch.keep("encryption key", new.hex())
        old = bytes.fromhex(_secret(self.world, "encryption_key"))
        ring = KeyRing(new, (old,))
        await RewrapService(self.world.services.database, ring).run(lambda _: None)
        back = RewrapService(self.world.services.database, KeyRing(old, (new,)))
        await back.run(lambda _: None)
        assert settings.encryption_keys()[0] == old

    async def rounds(self) -> None:
        await self.world.hurries()
        await self.world.services.upkeep.round()
        with contextlib.suppress(IntegrationError):
            await self.world.services.operators.offboard(SYSTEM, ACME)


def _secret(world: World, name: str) -> str:
    return str(getattr(world.application.settings, name).get_secret_value())
