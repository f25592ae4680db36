"""C1: each parameter of libpq against a real server with TLS, an own authority and SCRAM."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from demo import ports
from tests.connections import server
from tests.connections.server import PASSWORD, Cluster
from xero_service.errors import ServiceBusy
from xero_service.store.connections import Connector
from xero_service.store.database import Database

FACTS = (
    "SELECT inet_server_port() AS port, ssl, current_setting('application_name') AS name,"
    " current_user AS role, version AS tls, current_setting('statement_timeout') AS timeout,"
    " current_setting('search_path') AS path, pg_is_in_recovery() AS standby, client_dn AS dn"
    " FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
)
Words = Callable[[Cluster], dict[str, str]]


async def facts(url: str, **environ: str) -> dict[str, Any]:
    """Query through each pool; both must return the same."""
    database = Database(url, pool_size=2, prepared_statements=True)
    try:
        row = await database.fetch_one(FACTS)
        async with database.transaction() as tx:
            other = (await tx.connection.execute(text(FACTS))).mappings().one()
        assert row is not None
        assert dict(row) == dict(other)
        return dict(row)
    finally:
        await database.close()


def trusted(cluster: Cluster, **more: str) -> dict[str, str]:
    return {"sslmode": "verify-full", "sslrootcert": str(cluster.authority.file), **more}


def by_certificate(cluster: Cluster, name: str = "by_certificate", **more: str) -> dict[str, str]:
    files = {"sslcert": f"{cluster.files}/{name}.crt", "sslkey": f"{cluster.files}/{name}.key"}
    return {"user": "by_certificate", "password": "", **trusted(cluster), **files, **more}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (lambda _: {}, {"ssl": True, "role": "service"}),
        (lambda _: {"sslmode": "allow"}, {"ssl": True}),
        (lambda _: {"sslmode": "prefer"}, {"ssl": True}),
        (lambda _: {"sslmode": "require"}, {"ssl": True}),
        (lambda _: {"ssl": "true"}, {"ssl": True}),
        (lambda c: trusted(c, sslmode="require"), {"ssl": True}),
        (lambda c: trusted(c, sslmode="verify-ca"), {"ssl": True}),
        (lambda c: trusted(c), {"ssl": True}),
        (lambda c: trusted(c, hostaddr="127.0.0.1"), {"ssl": True}),
        (lambda c: trusted(c, sslcrl=f"{c.files}/none.crl"), {"ssl": True}),
        (lambda c: trusted(c, sslcertmode="disable"), {"ssl": True}),
        (lambda c: trusted(c, sslnegotiation="postgres", sslsni="1"), {"ssl": True}),
        (
            lambda c: trusted(c, ssl_min_protocol_version="TLSv1.3"),
            {"tls": "TLSv1.3"},
        ),
        (
            lambda c: trusted(c, ssl_max_protocol_version="tlsv1.2"),
            {"tls": "TLSv1.2"},
        ),
        (lambda _: {"ssl_max_protocol_version": "TLSv1.2"}, {"tls": "TLSv1.2"}),
        (lambda c: by_certificate(c), {"role": "by_certificate"}),
        (
            lambda c: by_certificate(c, sslmode="prefer"),
            {"role": "by_certificate"},
        ),
        (lambda _: {"application_name": "ledger"}, {"name": "ledger"}),
        (lambda _: {"fallback_application_name": "spare"}, {"name": "spare"}),
        (
            lambda _: {"application_name": "ledger", "fallback_application_name": "spare"},
            {"name": "ledger"},
        ),
        (lambda _: {"options": "-c statement_timeout=7s"}, {"timeout": "7s"}),
        (lambda _: {"options": "-cstatement_timeout=8s"}, {"timeout": "8s"}),
        (
            lambda _: {"options": r"--statement_timeout=9s -c search_path=a,\ b"},
            {"timeout": "9s", "path": "a, b"},
        ),
        (lambda _: {"target_session_attrs": "any"}, {"standby": False}),
        (lambda _: {"load_balance_hosts": "random"}, {"ssl": True}),
        (lambda _: {"connect_timeout": "5"}, {"ssl": True}),
        (lambda _: {"connect_timeout": "0"}, {"ssl": True}),
        (lambda _: {"channel_binding": "prefer"}, {"ssl": True}),
        (lambda _: {"channel_binding": "disable"}, {"ssl": True}),
        (lambda _: {"gssencmode": "disable"}, {"ssl": True}),
        (lambda _: {"gssencmode": "prefer", "krbsrvname": "postgres"}, {"ssl": True}),
        (lambda _: {"keepalives": "1", "keepalives_idle": "30"}, {"ssl": True}),
        (lambda _: {"keepalives_interval": "10", "keepalives_count": "3"}, {"ssl": True}),
        (lambda _: {"tcp_user_timeout": "10000"}, {"ssl": True}),
        (lambda _: {"client_encoding": "utf8"}, {"ssl": True}),
        (lambda _: {"sslcompression": "0", "requirepeer": "postgres"}, {"ssl": True}),
        (lambda _: {"min_protocol_version": "3.0"}, {"ssl": True}),
        (lambda _: {"max_protocol_version": "latest"}, {"ssl": True}),
        (lambda _: {"replication": "false"}, {"ssl": True}),
    ],
)
async def test_a_parameter_has_its_effect_in_every_pool_c1(
    cluster: Cluster, words: Words, expected: dict[str, Any]
) -> None:
    found = await facts(cluster.url(**words(cluster)))

    assert expected.items() <= found.items()
    assert found["port"] == cluster.primary.port


async def test_a_sealed_key_opens_with_its_password_c1(cluster: Cluster) -> None:
    words = by_certificate(cluster, "by_certificate-sealed", sslpassword=PASSWORD)

    found = await facts(cluster.url(**words))

    assert found["role"] == "by_certificate"


@pytest.mark.parametrize(
    "words",
    [
        lambda c: trusted(c, sslrootcert=str(c.stranger.file)),
        lambda c: trusted(c, sslmode="verify-ca", sslrootcert=str(c.stranger.file)),
        lambda c: trusted(c, sslmode="require", sslrootcert=str(c.stranger.file)),
        lambda c: trusted(c, host="127.0.0.1"),
        lambda c: trusted(c, sslcrl=f"{c.files}/server.crl"),
        lambda _: {"sslmode": "disable"},
        lambda _: {"password": "another"},
        lambda c: by_certificate(c, sslcertmode="disable"),
        lambda _: {"sslmode": "verify-full", "sslrootcert": "system"},
    ],
    ids=[
        "another authority",
        "another authority, verify-ca",
        "another authority, require",
        "another name",
        "revoked",
        "no TLS",
        "another password",
        "no certificate",
        "the system's authorities",
    ],
)
async def test_a_server_that_is_not_the_one_is_not_talked_to_c1(
    cluster: Cluster, words: Words
) -> None:
    with pytest.raises(ServiceBusy):
        await facts(cluster.url(**{"port": str(cluster.primary.port), **words(cluster)}))


async def test_a_name_of_the_server_is_not_asked_for_by_verify_ca_c1(cluster: Cluster) -> None:
    words = trusted(cluster, sslmode="verify-ca")

    found = await facts(cluster.url(f"127.0.0.1:{cluster.primary.port}", **words))

    assert found["ssl"]


@pytest.mark.parametrize(
    ("session", "is_standby"),
    [
        ("any", True),
        ("read-write", False),
        ("primary", False),
        ("read-only", True),
        ("standby", True),
        ("prefer-standby", True),
    ],
)
async def test_the_first_host_of_the_right_kind_is_taken_c1(
    cluster: Cluster, session: str, is_standby: bool
) -> None:
    url = cluster.url(cluster.at_standby, cluster.at_primary, target_session_attrs=session)

    assert (await facts(url))["standby"] is is_standby


async def test_where_no_standby_is_left_any_host_will_do_c1(cluster: Cluster) -> None:
    url = cluster.url(f"localhost:{ports.free()}", cluster.at_primary)

    found = await facts(f"{url}?target_session_attrs=prefer-standby")

    assert found["standby"] is False


async def test_a_host_that_only_reads_by_its_settings_is_passed_over_c1(cluster: Cluster) -> None:
    options = {"options": "-c default_transaction_read_only=on"}
    url = cluster.url(target_session_attrs="read-write", **options)

    with pytest.raises(ServiceBusy):
        await facts(url)


async def test_a_standby_that_is_not_promoted_yet_is_an_outage_to_every_pool_c1(
    cluster: Cluster,
) -> None:
    """R31: callers in the middle of a failover get 503 and not 500."""
    url = cluster.url(cluster.at_standby, target_session_attrs="read-write")
    database = Database(url, pool_size=2, prepared_statements=True)

    for block in (
        database.transaction(),
        database.background_transaction(),
        database.background_autocommit(),
        database.bare_connection(),
    ):
        with pytest.raises(ServiceBusy):
            async with block:
                pass
    await database.close()


async def test_a_dead_host_is_passed_over_c1(cluster: Cluster) -> None:
    dead = ports.free()
    both = (f"localhost:{dead}", cluster.at_primary)

    listed = cluster.url(host="localhost,localhost", port=f"{dead},{cluster.primary.port}")

    assert (await facts(cluster.url(*both)))["port"] == cluster.primary.port
    assert (await facts(listed))["port"] == cluster.primary.port
    assert (await facts(cluster.url(*both, **trusted(cluster))))["ssl"]


async def test_a_silent_host_has_its_own_time_only_c1(cluster: Cluster) -> None:
    with server.silent_port() as silent:
        url = cluster.url(f"localhost:{silent}", cluster.at_primary, connect_timeout="1")

        assert (await facts(url))["port"] == cluster.primary.port


async def test_a_wrong_password_is_not_tried_elsewhere_c1(cluster: Cluster) -> None:
    """As with libpq: a host that answers decides."""
    connector = Connector.to(cluster.url(cluster.at_standby, cluster.at_primary, password="wrong"))

    with pytest.raises(ConnectionRefusedError, match="password authentication failed"):
        await connector.connect()


async def test_a_setting_that_the_server_does_not_have_is_an_outage_c1(cluster: Cluster) -> None:
    """An outage, not a wrong statement: a request gets 503, and a command no traceback."""
    database = Database(
        cluster.url(options="-c nothing_of_that_name=1"), pool_size=2, prepared_statements=True
    )

    with pytest.raises(ServiceBusy):
        await database.schema_state()
    with pytest.raises(ServiceBusy):
        await database.require_writes()

    await database.close()


async def test_what_the_url_leaves_out_comes_from_libpqs_variables_c1(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", str(cluster.stranger.file))
    monkeypatch.setenv("PGAPPNAME", "by the environment")

    with pytest.raises(ServiceBusy):
        await facts(cluster.url())
    found = await facts(cluster.url(sslrootcert=str(cluster.authority.file)))

    assert found["name"] == "by the environment"


async def test_a_password_file_and_a_service_file_are_read_c1(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = cluster.files / "passwords"
    passwords.touch(mode=0o600)
    passwords.write_text(rf"*:*:xero:service:{PASSWORD.replace(':', chr(92) + ':')}")
    services = cluster.files / "services"
    services.write_text(
        f"[main]\nhost=localhost\nport={cluster.primary.port}\nuser=service\ndbname=xero\n"
        f"passfile={passwords}\napplication_name=by the file\n"
    )

    found = await facts(f"postgresql://?service=main&servicefile={services}")

    assert found["name"] == "by the file"


async def test_a_certificate_that_is_renewed_is_read_anew_c1(cluster: Cluster) -> None:
    root = cluster.files / "renewed.crt"
    root.write_bytes(cluster.authority.file.read_bytes())
    connector = Connector.to(cluster.url(sslmode="verify-full", sslrootcert=str(root)))
    await (await connector.connect()).close()

    root.write_bytes(cluster.stranger.file.read_bytes())

    with pytest.raises(OSError, match="certificate verify failed"):
        await connector.connect()
