#!/usr/bin/env bash
# Makes .venv and installs the locked packages and this project into it. Repeating it is quick.
#
# The pip that comes with Python installs one package, uv, by its hash; uv installs the rest. So the
# result depends neither on the version of that pip nor on the day.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$PWD/.venv
installed=$(cat requirements/*.txt requirements/install.sh pyproject.toml | cksum)

is_usable() { "$1" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if is_usable "$venv/bin/python" && grep -qF "$venv/bin/python" "$venv/bin/pip" 2>/dev/null; then
    [ "$(cat "$venv/.installed" 2>/dev/null)" != "$installed" ] || exit 0
else
    found=
    for python in ${PYTHONS:-python3.13 python3.12 python3.11 python3}; do
        if is_usable "$python"; then found=$python && break; fi
    done
    if [ -z "$found" ]; then
        echo "Python 3.11 or newer, with its venv module, is needed and was not found;" >&2
        echo "name one with: make PYTHON=/path/to/python3" >&2
        exit 1
    fi
    echo "Making .venv with $("$found" --version) …"
    "$found" -m venv --clear "$venv"
fi

pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

echo "Installing $(grep -c '^[a-z].*==' requirements/dev.txt) Python packages, locked by hash, with uv …"
pip install --quiet --quiet --require-hashes -r requirements/uv.txt

# uv does not read pip's configuration, so it gets the index and the certificates that pip uses.
configured() { pip config get "install.$1" 2>/dev/null || pip config get "global.$1" 2>/dev/null || true; }
index=${PIP_INDEX_URL:-$(configured index-url)} certificates=${PIP_CERT:-$(configured cert)}
[ -z "$index" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
[ -z "$certificates" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$certificates}

uv() { "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" "$@"; }
uv --require-hashes -r requirements/dev.txt
uv --no-deps --no-build-isolation -e .
echo "$installed" >"$venv/.installed"
