"""No error message or text form of the configuration contains a value."""

import traceback

import pytest

from tests.settings.conftest import COMPLETE, Environment
from xero_service.errors import ConfigError
from xero_service.settings import Settings, load

CANARY = "canary7Qz"
FAULTY = {
    "DATABASE_URL": [
        f"postgresql://user:p@host:{CANARY}@host/name",
        f"postgresql://user:{CANARY}@host",
        f"postgresql://user:{CANARY}@host:port/name",
        f"mysql://user:{CANARY}@host/name",
        f"user:{CANARY}",
    ],
    "ENCRYPTION_KEY": [CANARY, f"{CANARY * 8}"],
    "ENCRYPTION_KEY_PREVIOUS": [CANARY, f"{COMPLETE['ENCRYPTION_KEY']},{CANARY}"],
    "XERO_CLIENT_SECRET": [f"{CANARY} x", f"'{CANARY}'", f"{CANARY} secret"],
    "XERO_TOKEN_URL": [f"https://user:{CANARY}@host", f"https://[{CANARY}]", f"ftp://{CANARY}"],
    "FRONTEND_URL": [f"https://host/{CANARY}", f"https://host:{CANARY}"],
    "XERO_SCOPES": [CANARY],
    "SPA_DIR": [f"/{CANARY}"],
    "FORWARDED_ALLOW_IPS": [CANARY, f"127.0.0.1,{CANARY}/8"],
    "DATABASE_POOL_SIZE": [CANARY],
    "REFRESH_LEASE_SECONDS": [CANARY],
    "LOG_LEVEL": [CANARY],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in FAULTY.items() for value in values]
)
def test_no_fault_repeats_the_value(variables: Environment, name: str, value: str) -> None:
    """S41, S42."""
    variables.set(**{name: value})

    with pytest.raises(ConfigError) as refused:
        load()

    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert name in told
    assert CANARY.lower() not in told.lower()


@pytest.fixture
def loaded(variables: Environment) -> Settings:
    return variables.loaded(
        DATABASE_URL=f"postgresql://user:{CANARY}@host/name",
        ENCRYPTION_KEY=f"{CANARY}-4f0c2b8e-71d6-95a3-e1f",
        ENCRYPTION_KEY_PREVIOUS=f"{CANARY}-8b1d3c7f-62e5-04a9-e2f",
        XERO_CLIENT_SECRET=f"kJ8-{CANARY}",
    )


@pytest.mark.parametrize("shown", [repr, str, Settings.model_dump_json])
def test_the_settings_show_no_secret(loaded: Settings, shown: object) -> None:
    """S42."""
    assert callable(shown)

    assert CANARY not in shown(loaded)
