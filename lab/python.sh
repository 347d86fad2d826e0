# Sourced by the lab's commands with $root set to the checkout: sees to it that $root/.venv has what the file named by
# $FEDIVERSE_MASTODON_REQUIREMENTS (default requirements.txt) asks for. Makes or updates it when that is newer.

refuse() {
    echo "lab: $1" >&2
    exit 1
}

install_requirements() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "Python 3.11 or newer is needed: install it and put it first in PATH as python3."
    echo "lab: installing $1 into .venv" >&2
    # Debian's own Python comes without the means to make an environment.
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null && command -v apt-get >/dev/null; then
        { apt-get update && apt-get install --yes --no-install-recommends python3-venv; } >/dev/null ||
            refuse "The package python3-venv can't be installed, see above: install it and try again."
    fi
    python3 -m venv "$root/.venv" && "$root/.venv/bin/pip" install --quiet --requirement "$root/$1" ||
        refuse "The Python environment .venv can't be made, see above: fix that and try again."
    touch "$root/.venv/.installed-$1"
}

[ "$(id -u)" = 0 ] || refuse "The lab makes namespaces and network interfaces and therefore needs root: run it with sudo."
requirements=${FEDIVERSE_MASTODON_REQUIREMENTS:-requirements.txt}
installed=$root/.venv/.installed-$requirements
if ! [ "$installed" -nt "$root/$requirements" ] || ! [ "$installed" -nt "$root/requirements.txt" ]; then
    install_requirements "$requirements"
fi
