# shellcheck shell=bash
# Finds a container engine, or on a Debian machine as root installs and starts one. Sets
# DOCKER_HOST and DOCKER_CONFIG where it starts one. Exits with 3 where there can be none.

NO_ENGINE=3

find_engine() {
    if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
        echo "engine: the one that runs here"
        return
    fi
    if [ "$(id -u)" != 0 ] || [ ! -f /etc/debian_version ] || ! command -v apt-get >/dev/null; then
        echo "No container engine: neither \`docker info\` nor \`docker compose version\` works." >&2
        echo "Start Docker with its compose plugin, or run this as root on Debian." >&2
        exit "$NO_ENGINE"
    fi
    install_engine || {
        echo "No container engine: Debian's packages could not be installed; see $WORK/apt.log." >&2
        exit "$NO_ENGINE"
    }
    start_engine
}

install_engine() {
    export DEBIAN_FRONTEND=noninteractive
    { command -v dockerd && command -v docker && command -v iptables && command -v mmdebstrap; } >/dev/null || {
        apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io mmdebstrap iptables
    } >"$WORK/apt.log" 2>&1 || return 1
    export DOCKER_CONFIG="$WORK/cfg"
    [ -x "$DOCKER_CONFIG/cli-plugins/docker-compose" ] || compose_plugin >>"$WORK/apt.log" 2>&1
}

# Debian 12 has Compose 1 only; the plugin is one static program, so that of Debian 13 runs here.
compose_plugin() {
    local apt="$WORK/apt" keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$DOCKER_CONFIG/cli-plugins"
    echo "deb [signed-by=$keyring] $(debian_mirror) trixie main" >"$apt/sources.list"
    local options=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Acquire::Languages=none
        -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -qq || return 1
    (cd "$apt" && apt-get "${options[@]}" download -qq docker-compose && dpkg -x docker-compose_*.deb unpacked) || return 1
    cp "$apt/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$DOCKER_CONFIG/cli-plugins/"
}

debian_mirror() { apt-get indextargets --format '$(SITE)' | head -1; }

# With a data root of its own, and no raised limits: a container may lack CAP_SYS_RESOURCE.
start_engine() {
    export DOCKER_HOST="unix://$WORK/docker.sock"
    local oom=()
    ! dockerd --help 2>&1 | grep -q oom-score-adjust || oom=(--oom-score-adjust 0)
    rm -f "$WORK/docker.pid"
    dockerd --data-root "$WORK/data" --exec-root "$WORK/exec" --pidfile "$WORK/docker.pid" \
        -H "$DOCKER_HOST" --group root --bip "${DOCKER_BRIDGE:-172.30.250.1/24}" \
        --default-ulimit nofile=4096:4096 "${oom[@]}" >"$WORK/dockerd.log" 2>&1 &
    ENGINE=$!
    for _ in $(seq 120); do
        ! docker info >/dev/null 2>&1 || break
        kill -0 "$ENGINE" 2>/dev/null || break
        sleep 0.5
    done
    if ! docker info >/dev/null 2>&1; then
        echo "No container engine: dockerd does not start here. Its last lines:" >&2
        tail -5 "$WORK/dockerd.log" >&2
        exit "$NO_ENGINE"
    fi
    echo "engine: $(docker version --format '{{.Server.Version}}'), started for this run"
}

stop_engine() {
    [ -n "${ENGINE:-}" ] || return 0
    kill "$ENGINE" 2>/dev/null || true
    wait "$ENGINE" 2>/dev/null || true
}
