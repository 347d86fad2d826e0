# Sourced by the lab's commands with $root set to the checkout: sees to it that $root/.venv has what the file named by
# $FEDIVERSE_MASTODON_REQUIREMENTS (default requirements.txt) asks for. Makes or updates it when that is newer.

refuse() {
    echo "lab: $1" >&2
    exit 1
}

requirements=${FEDIVERSE_MASTODON_REQUIREMENTS:-requirements.txt}
done_mark=$root/.venv/.installed-$requirements
if ! [ "$done_mark" -nt "$root/$requirements" ] || ! [ "$done_mark" -nt "$root/requirements.txt" ]; then
    [ "$(id -u)" = 0 ] ||
        refuse "The lab makes namespaces and network interfaces and therefore needs root: run it with sudo."
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        refuse "Python 3.11 or newer is needed: install it and put it first in PATH as python3."
    echo "lab: installing $requirements into .venv" >&2
    python3 -m venv "$root/.venv" && "$root/.venv/bin/pip" install --quiet --requirement "$root/$requirements" ||
        refuse "The Python environment .venv can't be made, see above: on Debian, install python3-venv."
    touch "$done_mark"
fi
