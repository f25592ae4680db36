"""What Node's own `crypto` seals opens here, and the other way round."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from xero_service.crypto import KeyRing
from xero_service.settings import parse_key

CIPHER = Path(__file__).with_name("cipher.mjs")
HEX_KEY = "5b1e0c9a7f3d2486e1b0d4c6a8f2917350ec6db7a49f8c1e02d3b5a697c8e4f1"
TEXT_KEY = "k3-Vw9!pQz7_mR2xT5sYb8LdJ0hNcG4f"

keys = pytest.mark.parametrize("key", [HEX_KEY, TEXT_KEY], ids=["64 hex", "32 characters"])
contexts = pytest.mark.parametrize("context", ["", "7f0e…:refresh_token_enc"], ids=["no", "with"])
texts = pytest.mark.parametrize("text", ["", "opaque-refresh-token", "Ünïcødé 日本 🔑"])


def node(**order: Any) -> str:
    done = subprocess.run(
        ["node", CIPHER],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, str)
    return answer


@keys
@contexts
@pytest.mark.parametrize("iv_bytes", [12, 16])
def test_what_node_seals_opens_here(key: str, context: str, iv_bytes: int) -> None:
    sealed = node(work="seal", key=key, text="Ünïcødé 🔑", context=context, ivBytes=iv_bytes)

    assert KeyRing(parse_key(key)).decrypt_token(sealed, context) == "Ünïcødé 🔑"


@keys
@contexts
def test_what_is_sealed_here_opens_in_node(key: str, context: str) -> None:
    sealed = KeyRing(parse_key(key)).encrypt_token("Ünïcødé 🔑", context)

    assert node(work="open", key=key, sealed=sealed, context=context) == "Ünïcødé 🔑"


@texts
def test_every_text_comes_back_the_same_through_node(text: str) -> None:
    sealed_there = node(work="seal", key=HEX_KEY, text=text, context="row:column", ivBytes=12)
    ring = KeyRing(parse_key(HEX_KEY))

    sealed_here = ring.encrypt_token(ring.decrypt_token(sealed_there, "row:column"), "row:column")

    assert node(work="open", key=HEX_KEY, sealed=sealed_here, context="row:column") == text
