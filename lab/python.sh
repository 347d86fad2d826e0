# Sourced by the lab's commands with $root set to the checkout: sees to it that $root/.venv has what the file named by
# $FEDIVERSE_MASTODON_REQUIREMENTS (default requirements.txt) asks for, in the versions of constraints.txt. It is a link into the cache,
# where all checkouts that ask for the same share one environment.

refuse() {
    echo "lab: $1" >&2
    exit 1
}

# What an environment that fulfils $1 is recognised by.
mark() {
    echo ".$1-$({ python3 -VV && cat "$root/constraints.txt" "$root/requirements.txt" "$root/$1"; } | sha256sum | cut -c -16)"
}

# Makes the environment $1 unless it is there.
make_environment() {
    [ ! -e "$1/$(mark "$requirements")" ] || return 0
    echo "lab: installing $requirements into .venv" >&2
    # Debian's own Python comes without the means to make an environment.
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null && command -v apt-get >/dev/null; then
        { apt-get update && apt-get install --yes --no-install-recommends python3-venv; } >/dev/null ||
            refuse "The package python3-venv can't be installed, see above: install it and try again."
    fi
    python3 -m venv --clear "$1" && "$1/bin/pip" install --quiet --constraint "$root/constraints.txt" --requirement "$root/$requirements" ||
        refuse "The Python environment .venv can't be made, see above: fix that and try again."
    touch "$1/$(mark requirements.txt)" "$1/$(mark "$requirements")"
}

[ "$(id -u)" = 0 ] || refuse "The lab makes namespaces and network interfaces and therefore needs root: run it with sudo."
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    refuse "Python 3.11 or newer is needed: install it and put it first in PATH as python3."
requirements=${FEDIVERSE_MASTODON_REQUIREMENTS:-requirements.txt}
if ! [ -e "$root/.venv/$(mark "$requirements")" ]; then
    [ -L "$root/.venv" ] || [ ! -e "$root/.venv" ] || refuse "$root/.venv is in the way: move it elsewhere."
    cache=${LAB_CACHE:-/var/cache/fediverse-mastodon-lab}/python
    mkdir -p "$cache"
    environment=$cache/$(mark "$requirements" | cut -c 2-)
    (
        flock 9
        make_environment "$environment"
    ) 9>"$cache/lock" || exit 1
    ln -sfn "$environment" "$root/.venv"
fi
