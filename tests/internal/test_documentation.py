"""The examples of docs/from-your-service.md, run word for word against a running stack."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from demo import stack
from demo.environment import neutral
from tests.internal.conftest import SCOPES
from xero_sandbox.client import SandboxClient
from xero_sandbox.samples import ACME_BOOKKEEPER, ACME_TRADING

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "from-your-service.md"
NODE = ROOT / "tests" / "sdks" / "node"
API = "/api/integrations/xero"
EXPECTED = ["Acme Trading Ltd", "True", "True"]


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What an example reads, for a stack with one connected organisation."""
    ambient = neutral(os.environ) | {"XERO_SCOPES": f"{SCOPES} accounting.invoices"}
    with (
        stack.running(tmp_path_factory.mktemp("stack"), ambient=ambient) as started,
        SandboxClient(started.sandbox) as sandbox,
        httpx.Client(base_url=started.origin + API, trust_env=False, timeout=30) as browser,
    ):
        token = sandbox.session_token(
            "user_acme_admin", "org_acme", azp=started.origin, lifetime_seconds=300
        )
        admin = {"Authorization": f"Bearer {token}"}
        start = browser.get("/start", headers=admin).json()
        user = ACME_BOOKKEEPER.xero_user_id
        back = urlsplit(sandbox.consent(start["authorizationUrl"], user, [ACME_TRADING]))
        landed = browser.get(f"/callback?{back.query}").headers["location"]
        grant_id = parse_qs(urlsplit(landed).query)["grantId"][0]
        chosen = {"grantId": grant_id, "tenantId": ACME_TRADING}
        bound = browser.post("/tenants/select", headers=admin, json=chosen)
        command = examples("sh")[0].replace("org_2abc", "org_acme").split()
        key = started.command(*command[1:]).strip()
        yield {
            **neutral(os.environ),
            "XERO_SERVICE": started.origin,
            "XERO_SERVICE_KEY": key,
            "BINDING_ID": bound.json()["id"],
            "NO_PROXY": "localhost,127.0.0.1",
        }


@pytest.fixture(scope="module")
def node_packages() -> Path:
    if not (NODE / "node_modules" / "xero-node").is_dir():
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error"], cwd=NODE, check=True
        )
    return NODE


def run(command: list[str], variables: dict[str, str], cwd: Path) -> list[str]:
    done = subprocess.run(
        command, env=variables, cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_curl_gets_the_organisation(variables: dict[str, str], tmp_path: Path) -> None:
    (call,) = [each for each in examples("sh") if "Organisation" in each]

    answer = json.loads("".join(run(["bash", "-euc", call], variables, tmp_path)))

    assert answer["Organisations"][0]["OrganisationID"] == ACME_TRADING


def test_curl_gets_a_token(variables: dict[str, str], tmp_path: Path) -> None:
    (call,) = [each for each in examples("sh") if "minValiditySeconds" in each]

    answer = json.loads("".join(run(["bash", "-euc", call], variables, tmp_path)))

    assert answer["tenantId"] == ACME_TRADING
    assert answer["accessToken"]


def test_curl_fails_where_the_service_says_no(variables: dict[str, str], tmp_path: Path) -> None:
    (call,) = [each for each in examples("sh") if "Organisation" in each]
    wrong = {**variables, "XERO_SERVICE_KEY": "xsk_wrong"}

    done = subprocess.run(
        ["bash", "-euc", call], env=wrong, cwd=tmp_path, capture_output=True, check=False
    )

    assert done.returncode == 22


def test_xeros_python_sdk_works_with_the_service_as_its_base(
    variables: dict[str, str], tmp_path: Path
) -> None:
    (example,) = examples("python")
    script = tmp_path / "example.py"
    script.write_text(example)

    assert run([sys.executable, str(script)], variables, tmp_path) == EXPECTED


def test_xeros_node_sdk_works_with_the_service_as_its_base(
    variables: dict[str, str], node_packages: Path
) -> None:
    (example,) = examples("js")

    command = ["node", "--input-type=module", "--eval", example]
    lines = run(command, variables, node_packages)

    assert lines == [line.replace("True", "true") for line in EXPECTED]
