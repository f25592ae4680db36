"""HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR apply to what the service sends."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.connections.certificates import Authority
from tests.xero.raw_http import Behaviour, listening, saying, with_body
from xero_service.certificates import trusted_certificates
from xero_service.errors import XeroUnreachable
from xero_service.xero.connection_pool import proxy_for
from xero_service.xero.http import HttpClient

HOST = "xero.test"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def fresh_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of the variables is set, and what was read of them before is forgotten."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    caches = (proxy_for, trusted_certificates)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "xero")


@asynccontextmanager
async def tls_server(authority: Authority, body: bytes = b"by TLS") -> AsyncIterator[int]:
    """Serve one answer for `localhost` and HOST with a certificate of the authority's."""
    certificate, key = authority.issues("server", hosts=("localhost", HOST))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def tunnel_to(port: int) -> Behaviour:
    """Take a CONNECT, whatever host it names, and pass bytes to and from a port of this machine."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))

    return serve


def directory_of(authority: Authority, directory: Path) -> Path:
    """Return a directory as OpenSSL reads it: each file is named by the hash of its subject."""
    name = b"xero authority"
    attribute = b"\x06\x03\x55\x04\x03\x0c" + bytes([len(name)]) + name
    sequence = b"\x30" + bytes([len(attribute)]) + attribute
    subject = b"\x31" + bytes([len(sequence)]) + sequence
    number = int.from_bytes(hashlib.sha1(subject, usedforsecurity=False).digest()[:4], "little")
    directory.mkdir()
    (directory / f"{number:08x}.0").write_bytes(authority.file.read_bytes())
    return directory


async def test_an_unknown_authority_is_not_trusted(
    transport: HttpClient, authority: Authority
) -> None:
    async with tls_server(authority) as port:
        with pytest.raises(XeroUnreachable):
            await transport.send("GET", f"https://localhost:{port}/")


async def test_ssl_cert_file_names_the_authorities(
    transport: HttpClient, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async with tls_server(authority) as port:
        response = await transport.send("GET", f"https://localhost:{port}/")

    assert response.body == b"by TLS"


async def test_ssl_cert_dir_names_the_authorities(
    transport: HttpClient, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(directory_of(authority, tmp_path / "authorities")))

    async with tls_server(authority) as port:
        response = await transport.send("GET", f"https://localhost:{port}/")

    assert response.body == b"by TLS"


async def test_https_proxy_tunnels_to_a_host(
    transport: HttpClient, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy sees the name of the host; TLS is with the host itself."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    async with tls_server(authority) as port, listening(tunnel_to(port)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        response = await transport.send(
            "POST", f"https://{HOST}/connect/token", form={"token": "canary"}
        )

    assert response.body == b"by TLS"
    (head,) = proxy.requests
    assert head.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    assert b"canary" not in head


async def test_no_proxy_names_hosts_that_are_called_directly(
    transport: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    async with listening(with_body(b"directly")) as server:
        response = await transport.send("GET", server.url)

    assert response.body == b"directly"


async def test_a_proxy_that_refuses_a_tunnel_means_that_nothing_was_sent(
    transport: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = saying(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with listening(refusal) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(XeroUnreachable):
            await transport.send("POST", f"https://{HOST}/connect/token", form={"a": "b"})
