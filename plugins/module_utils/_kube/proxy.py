# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy the environment asks for, by the rules of kubectl.

https://pkg.go.dev/golang.org/x/net/http/httpproxy
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def proxy_of(server: str, environment: Mapping[str, str], no_proxy: str = "") -> str:
    """Return the proxy for a server, empty for none. `no_proxy` goes before that of the environment."""
    parts = urlsplit(server)
    proxy = _either(environment, f"{parts.scheme}_proxy")
    exceptions = no_proxy or _either(environment, "no_proxy")
    if not proxy or _is_this_machine(parts.hostname or "") or is_excepted(server, exceptions):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def is_excepted(server: str, exceptions: str) -> bool:
    """Whether a list such as NO_PROXY names a server: its name, a domain above it, its address or a range around that."""
    parts = urlsplit(server)
    host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
    return any(_names(entry.strip().lower(), host, port) for entry in exceptions.split(","))


def _names(entry: str, host: str, port: int) -> bool:
    if not entry or entry == "*":
        return entry == "*"
    with suppress(ValueError):
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    # A name, or an address with a port.
    name, colon, only = entry.rpartition(":")
    if colon and only.isdigit():
        if int(only) != port:
            return False
        entry = name.strip("[]")
    entry = entry.removeprefix("*")
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith(f".{entry}")


def _is_this_machine(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _either(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name.upper()) or environment.get(name) or ""
