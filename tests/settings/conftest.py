"""A complete environment, and nothing of the machine's own."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from demo.environment import without_service_variables
from xero_service.errors import ConfigError
from xero_service.settings import Settings, load

KEY = "9d1f4c7a02be35680f7e6d5c4b3a29180a1b2c3d4e5f60718293a4b5c6d7e8f9"
COMPLETE: Mapping[str, str] = {
    "DATABASE_URL": "postgresql://service@db.example.com/xero",
    "ENCRYPTION_KEY": KEY,
    "XERO_CLIENT_ID": "91E5715B1199038080D6D0296EBC1648",
    "XERO_CLIENT_SECRET": "kJ8-canary-client_9f3b",
    "XERO_REDIRECT_URI": "https://api.example.com/api/integrations/xero/callback",
    "AUTH_ISSUER": "https://clerk.example.com",
    "AUTH_JWKS_URL": "https://clerk.example.com/.well-known/jwks.json",
    "AUTH_AUTHORIZED_PARTIES": "https://app.example.com",
    "FRONTEND_URL": "https://app.example.com",
    "PUBLIC_URL": "https://api.example.com",
}


class Environment:
    """The variables of the process, and a directory in which a `.env` may lie."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self._monkeypatch = monkeypatch
        self.directory = directory

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def remove(self, *names: str) -> None:
        for name in names:
            self._monkeypatch.delenv(name)

    def loaded(self, **variables: str) -> Settings:
        self.set(**variables)
        return load()

    def refusal(self, **variables: str) -> str:
        """Return the message with which the configuration is refused."""
        self.set(**variables)
        with pytest.raises(ConfigError) as refused:
            load()
        return refused.value.detail


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    """The configuration of a running service, in an empty directory."""
    for name in os.environ.keys() - without_service_variables(os.environ).keys():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    found = Environment(monkeypatch, tmp_path)
    found.set(**COMPLETE)
    return found
