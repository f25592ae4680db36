"""The journey of README through the images: page, consent, binding, key, token, call to Xero."""

import re
from dataclasses import dataclass

import httpx
from compose import ORIGIN, SANDBOX_PORT, CheckFailed, Project

from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACCOUNTANT, ACME_BOOKKEEPER, ACME_SERVICES, ACME_TRADING

API = "/api/integrations/xero"
ADMIN, ORG = "user_acme_admin", "org_acme"


@dataclass(frozen=True)
class Connected:
    """Two bindings on two grants, and a service key that may use them."""

    bindings: tuple[str, ...]
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a service's call."""
        return {"Authorization": f"Bearer {self.key}"}


def walk(compose: Project) -> Connected:
    """Walk the journey; raises CheckFailed where a step of it does not work."""
    sandbox = SandboxClient(f"http://127.0.0.1:{SANDBOX_PORT}")
    with httpx.Client(base_url=ORIGIN, timeout=30, trust_env=False) as http:
        page = _ok(http.get("/"))
        if '<div id="root"' not in page.text:
            raise CheckFailed("/ is not the page.")
        bindings = tuple(
            _connect(http, sandbox, user.xero_user_id, tenant)
            for user, tenant in ((ACME_BOOKKEEPER, ACME_TRADING), (ACCOUNTANT, ACME_SERVICES))
        )
        printed = compose(
            "exec", "-T", "api", "xero-service", "keys", "create", "--name", "billing",
            "--org", ORG, "--scope", "tokens:read", "--scope", "api:call",
        )  # fmt: skip
        found = re.search(r"xsk_\S+", printed)
        if found is None:
            raise CheckFailed("`keys create` printed no key.")
        connected = Connected(bindings, found[0])
        for each in bindings:
            path = f"{API}/bindings/{each}"
            _ok(http.post(f"{path}/token", headers=connected.headers))
            _ok(http.get(f"{path}/api/api.xro/2.0/Organisation", headers=connected.headers))
        for path in ("/metrics", "/readyz"):
            if http.get(path).status_code != httpx.codes.NOT_FOUND:
                raise CheckFailed(f"{path} is published.")
    return connected


def _connect(http: httpx.Client, sandbox: SandboxClient, xero_user: str, tenant: str) -> str:
    def session() -> dict[str, str]:
        return {"Authorization": f"Bearer {sandbox.session_token(ADMIN, ORG, azp=ORIGIN)}"}

    start = _ok(http.get(f"{API}/start", headers=session()))
    callback = sandbox.consent(start.json()["authorizationUrl"], xero_user, (tenant,))
    landed = http.get(callback)
    found = re.search(r"[?&]grantId=([0-9a-f-]+)", landed.headers.get("location", ""))
    if found is None:
        raise CheckFailed(f"The callback led to {landed.headers.get('location')}.")
    chosen = {"grantId": found[1], "tenantId": tenant}
    bound = _ok(http.post(f"{API}/tenants/select", headers=session(), json=chosen))
    return str(bound.json()["id"])


def _ok(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise CheckFailed(f"{response.url.path} answered {response.status_code}: {response.text}")
    return response
