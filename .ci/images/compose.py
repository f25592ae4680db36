"""The compose project of the check: the repository's own file, with a local Xero beside it."""

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEB_PORT = os.environ.get("WEB_PORT", "18080")
SANDBOX_PORT = os.environ.get("SANDBOX_PORT", "19000")
ORIGIN = f"http://localhost:{WEB_PORT}"
# The service takes `*.localhost` for this machine, and the project's network resolves this alias.
SANDBOX = f"http://sandbox.localhost:{SANDBOX_PORT}"
STOP_SECONDS = 60
IMAGE = "xero-service"
# What the sandbox needs beside the service, with the hashes of requirements/dev.txt.
SANDBOX_PACKAGES = ("jinja2", "markupsafe", "python-multipart")
OVERRIDE = ".ci/images/override.yml"


class CheckFailed(Exception):
    """The images or the compose file do not do what they must."""


@dataclass
class Project:
    """Runs compose commands; `work` is the directory of the check."""

    work: Path
    source: Path = field(init=False)
    variables: dict[str, str] = field(init=False)
    owner: str = field(init=False, repr=False)
    server: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Copy the repository, as somebody who unpacked it has it, and write `.env`."""
        self.source = self.work / "source"
        shutil.rmtree(self.source, ignore_errors=True)
        self.source.mkdir(parents=True)
        listed = _run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (self.source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.source / name)
        settings = _settings()
        lines = (f"{name}={value}\n" for name, value in settings.items())
        (self.source / ".env").write_text("".join(lines))
        self.owner = f"postgresql://xero:{settings['POSTGRES_PASSWORD']}@postgres:5432/xero"
        self.server = (
            f"postgresql://xero_service:{settings['POSTGRES_SERVICE_PASSWORD']}@postgres:5432/xero"
        )
        self._write_sandbox()
        images = (self.work / "images.env").read_text().splitlines()
        self.variables = dict(line.split("=", 1) for line in images) | {
            "SANDBOX_PORT": SANDBOX_PORT,
            "SANDBOX_DIRECTORY": str(self.work / "sandbox"),
        }

    def _write_sandbox(self) -> None:
        directory = self.work / "sandbox"
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(ROOT / "src" / "xero_sandbox", directory / "xero_sandbox")
        locked = (ROOT / "requirements" / "dev.txt").read_text()
        blocks = re.findall(r"^(?:\S+==.*\n(?:    .*\n)*)", locked, re.MULTILINE)
        wanted = [each for each in blocks if each.partition("==")[0] in SANDBOX_PACKAGES]
        (directory / "requirements.txt").write_text("".join(wanted))
        (directory / "Dockerfile").write_text(
            "FROM xero-service\nUSER root\nCOPY . /opt/sandbox\n"
            "RUN python -m pip install -q --no-deps --require-hashes"
            " -r /opt/sandbox/requirements.txt\n"
            "ENV PYTHONPATH=/opt/sandbox\nUSER 10001\n"
        )

    def __call__(self, *arguments: str, image: str = IMAGE, timeout: int = 900) -> str:
        """Run `docker compose` and return what it printed; raises CheckFailed."""
        command = ["docker", "compose", "--project-directory", str(self.source)]
        return _run([*command, *arguments], env=self._environment(image), timeout=timeout)

    def follow(self, commands: str) -> None:
        """Run commands of a runbook, as an operator types them; raises CheckFailed."""
        script = f"set -e\ncd {shlex.quote(str(self.source))}\n{commands}"
        _run(["bash", "-c", script], env=self._environment(IMAGE))

    def _environment(self, image: str) -> dict[str, str]:
        files = (self.source / file for file in ("docker-compose.yml", OVERRIDE))
        return {
            **os.environ,
            **self.variables,
            "COMPOSE_FILE": ":".join(map(str, files)),
            "SERVICE_IMAGE": image,
            # The last release may be one that served as the owner of the database.
            "API_DATABASE_URL": self.server if image == IMAGE else self.owner,
        }

    def containers(self, service: str) -> list[str]:
        """Return the ids of the running containers of a service."""
        return self("ps", "--quiet", service).split()

    def start_more(self, service: str, count: int, *, image: str) -> list[str]:
        """Start `count` more containers of a service, and return them once they are healthy."""
        before = self.containers(service)
        scale = f"{service}={len(before) + count}"
        self(
            "up",
            "-d",
            "--no-deps",
            "--no-build",
            "--no-recreate",
            "--scale",
            scale,
            service,
            image=image,
        )
        new = [each for each in self.containers(service) if each not in before]
        wait_healthy(new)
        return new

    def replace(self, service: str, *, image: str) -> None:
        """Replace the containers of a service: start as many new ones, then stop each old one."""
        before = self.containers(service)
        self.start_more(service, len(before), image=image)
        for each in before:
            docker("stop", "--time", str(STOP_SECONDS), each)
            docker("rm", each)


def docker(*arguments: str) -> str:
    """Run `docker` and return what it printed; raises CheckFailed."""
    return _run(["docker", *arguments])


def inspect(container: str, template: str) -> str:
    """Return a value of a container."""
    return docker("inspect", "--format", template, container).strip()


def wait_healthy(containers: list[str], *, within: float = 180) -> None:
    """Wait until the health check of each container passes; raises CheckFailed."""
    deadline = time.monotonic() + within
    for each in containers:
        while (state := inspect(each, "{{.State.Health.Status}}")) != "healthy":
            if time.monotonic() > deadline:
                raise CheckFailed(f"{each} is {state}:\n{docker('logs', '--tail', '20', each)}")
            time.sleep(0.5)


def memory_in_use() -> dict[str, int]:
    """Return the bytes of memory that each running container uses."""
    lines = docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}").splitlines()
    return {name: _bytes(used) for name, used, *_ in map(str.split, lines)}


def _bytes(text: str) -> int:
    number = re.sub("[^0-9.]", "", text)
    return int(
        float(number) * {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}[text[len(number) : -1]]
    )


def _settings() -> dict[str, str]:
    return {
        "POSTGRES_PASSWORD": secrets.token_hex(12),
        "POSTGRES_SERVICE_PASSWORD": secrets.token_hex(12),
        "ENCRYPTION_KEY": secrets.token_hex(32),
        "XERO_CLIENT_ID": "sandbox-check",
        "XERO_CLIENT_SECRET": secrets.token_hex(16),
        "XERO_REDIRECT_URI": f"{ORIGIN}/api/integrations/xero/callback",
        "XERO_AUTHORIZE_URL": f"{SANDBOX}/login/identity/connect/authorize",
        "XERO_TOKEN_URL": f"{SANDBOX}/identity/connect/token",
        "XERO_REVOCATION_URL": f"{SANDBOX}/identity/connect/revocation",
        "XERO_ISSUER": f"{SANDBOX}/identity",
        "XERO_JWKS_URL": f"{SANDBOX}/identity/.well-known/openid-configuration/jwks",
        "XERO_API_URL": f"{SANDBOX}/api",
        "AUTH_ISSUER": f"{SANDBOX}/session",
        "AUTH_JWKS_URL": f"{SANDBOX}/session/.well-known/jwks.json",
        "AUTH_AUTHORIZED_PARTIES": ORIGIN,
        "FRONTEND_URL": ORIGIN,
        "PUBLIC_URL": ORIGIN,
        "WEB_PORT": WEB_PORT,
        "SIGN_IN_ORIGINS": SANDBOX,
    }


def _run(command: list[str], *, env: dict[str, str] | None = None, timeout: int = 900) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=timeout
    )
    if done.returncode:
        shown = " ".join(command[:2] + command[-4:])
        sys.stdout.flush()
        raise CheckFailed(f"`{shown}` exited with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
