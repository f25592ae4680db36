"""Builds the TLS context that libpq's `ssl…` parameters describe."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

VERSIONS = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}
SYSTEM = "system"  # as `sslrootcert`: the certificates that the operating system trusts


class _NamedContext(ssl.SSLContext):
    """Verifies `host`, not the address, where both `host` and `hostaddr` are given."""

    names: Mapping[str, str]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        name = self.names.get(str(server_hostname), server_hostname)
        return super().wrap_bio(incoming, outgoing, server_side, name, session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The TLS parameters of a connection; files are read anew for each connection."""

    mode: str
    root: str | None
    crl: str | None
    crl_directory: str | None
    certificate: str | None
    key: str | None
    key_password: str = field(repr=False)
    minimum: str
    maximum: str | None
    names: Mapping[str, str]

    @property
    def is_required(self) -> bool:
        """Whether no connection is made without TLS."""
        return self.mode in {"require", "verify-ca", "verify-full"}

    def context(self) -> ssl.SSLContext:
        """Return the context of one connection; raises OSError where a file is unusable."""
        context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.names = self.names
        context.check_hostname = self.mode == "verify-full"
        context.verify_mode = ssl.CERT_NONE if self.root is None else ssl.CERT_REQUIRED
        context.minimum_version = VERSIONS[self.minimum.lower()]
        if self.maximum is not None:
            context.maximum_version = VERSIONS[self.maximum.lower()]
        context.set_alpn_protocols(["postgresql"])
        for _, load in self._loads():
            load(context)
        return context

    def unusable(self) -> Iterator[str]:
        """Yield a fault for each group of files that cannot be read or used."""
        for names, load in self._loads():
            try:
                load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            except (OSError, ValueError):
                yield f"has {names}, which cannot be read or used"

    def _loads(self) -> Iterator[tuple[str, Callable[[ssl.SSLContext], object]]]:
        if self.is_required:
            yield "sslrootcert", self._load_roots
            yield "sslcrl or sslcrldir", self._load_revoked
        yield "sslcert, sslkey or sslpassword", self._load_certificate

    def _load_roots(self, context: ssl.SSLContext) -> None:
        if self.root == SYSTEM:
            context.load_default_certs()
        elif self.root is not None:
            context.load_verify_locations(cafile=self.root)

    def _load_revoked(self, context: ssl.SSLContext) -> None:
        if self.crl is None and self.crl_directory is None:
            return
        if self.crl_directory is not None and not Path(self.crl_directory).is_dir():
            raise NotADirectoryError
        context.load_verify_locations(cafile=self.crl, capath=self.crl_directory)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN

    def _load_certificate(self, context: ssl.SSLContext) -> None:
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key, lambda: self.key_password)


def of_home(name: str) -> str | None:
    """Return a file below `~/.postgresql`, where libpq looks by default, if it is there."""
    try:
        path = Path.home() / ".postgresql" / name
        return str(path) if path.is_file() else None
    except (RuntimeError, OSError):
        return None
