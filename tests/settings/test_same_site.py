"""The page and the service must be same-site, or browsers drop the flow cookie (RFC 6265bis)."""

import pytest

from tests.settings.conftest import Environment


@pytest.mark.parametrize(
    ("frontend", "public"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com", "https://api.example.com"),
        ("https://example.com", "https://deep.api.example.com"),
        ("https://app.example.co.uk", "https://api.example.co.uk"),
        ("https://app.example.com:8443", "https://api.example.com"),
        ("http://localhost:5173", "http://localhost:8000"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:8000"),
        ("https://10.0.0.1:5173", "https://10.0.0.1"),
        ("https://[2001:db8::1]:5173", "https://[2001:db8::1]"),
        ("https://a.user.github.io", "https://b.user.github.io"),
        ("https://intranet", "https://intranet"),
    ],
)
def test_origins_of_one_site_are_accepted(
    variables: Environment, frontend: str, public: str
) -> None:
    loaded = variables.loaded(FRONTEND_URL=frontend, PUBLIC_URL=public)

    assert (loaded.frontend_url, loaded.public_url) == (frontend, public)


@pytest.mark.parametrize(
    ("frontend", "public"),
    [
        ("https://app.example.com", "https://api.example.org"),
        ("https://example.com", "https://example.com.evil.test"),
        ("https://a.github.io", "https://b.github.io"),
        ("https://a.co.uk", "https://b.co.uk"),
        ("http://localhost:5173", "https://localhost:8000"),
        ("http://localhost:5173", "http://127.0.0.1:8000"),
        ("http://a.localhost", "http://b.localhost"),
        ("https://10.0.0.1", "https://192.168.0.1"),
        ("https://[2001:db8::1]", "https://[2001:db8::2]"),
        ("https://intranet", "https://extranet"),
    ],
)
def test_origins_of_two_sites_are_refused(
    variables: Environment, frontend: str, public: str
) -> None:
    said = variables.refusal(FRONTEND_URL=frontend, PUBLIC_URL=public)

    assert "\n  PUBLIC_URL must be same-site with FRONTEND_URL" in said
