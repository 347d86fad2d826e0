# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How connections are tried on a machine that may be busy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

One = TypeVar("One")

# Each pod's image has BusyBox or Bash. It prints each address, and how the attempt ended; so many are tried at once.
AT_ONCE = 8
CONNECT = f"""\
begun=0
for one in "$@"; do
    host=${{one%:*}} port=${{one##*:}}
    if command -v nc >/dev/null 2>&1; then
        (said=$(nc -w 3 "$host" "$port" 2>&1 </dev/null >/dev/null); echo "$one $? $said") &
    else
        (said=$(timeout 3 bash -c "exec 3<>/dev/tcp/$host/$port" 2>&1); echo "$one $?" $said) &
    fi
    begun=$((begun + 1))
    [ $((begun % {AT_ONCE})) -ne 0 ] || wait
done
wait
"""
ATTEMPTS = 3


def settled(tried: Callable[[Collection[One]], dict[One, bool]], wanted: Mapping[One, bool]) -> dict[One, bool]:
    """Try all, and again what should pass and did not: a busy machine may be late, what a policy refuses stays refused."""
    found = tried(wanted.keys())
    for _again in range(ATTEMPTS - 1):
        if late := [one for one, passes in wanted.items() if passes and not found[one]]:
            found |= tried(late)
    return found
