# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at, as its owner declares it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """One instance. Accounts are `@name@domain`, pages at `host`; hosts that are empty are not there, or not others.

    `account` is a name to look up. `media_path` is where an object lies at `media`. `key` is the fingerprint of the instance actor's key
    as it was once. `secure`, `limited` and `internal` are how it is run, and `taken_as_public` are networks that count as public. `owner`, and
    where it is written, are by which external-dns distinguishes its records, and `software` is what it is, whatever answers for it. `echo` is
    whether a pod behind the same gateway says what arrives, and `hold` whether a connection to it is held.
    """

    domain: str
    host: str
    streaming: str = ""
    media: str = ""
    media_path: str = ""
    account: str = ""
    key: str = ""
    secure: bool = False
    limited: bool = False
    internal: bool = False
    followed: Sequence[str] = ()
    addresses: Sequence[str] = ()
    owner: str = ""
    txt_prefix: str = ""
    txt_suffix: str = ""
    software: str = ""
    echo: bool = False
    hold: bool = False
    taken_as_public: Sequence[str] = field(default=())

    @property
    def is_split(self) -> bool:
        """Whether the domain of accounts is not the host that pages are at."""
        return self.domain != self.host

    @property
    def needs_signatures(self) -> bool:
        """Whether actors are shown to those only who sign: limited federation includes secure mode."""
        return self.secure or self.limited

    @property
    def hosts(self) -> tuple[str, ...]:
        """All that are declared to be ours, each once."""
        named = (self.domain, self.host, self.streaming, self.media)
        return tuple(dict.fromkeys(host for host in named if host))

    def may_be_followed(self, host: str) -> bool:
        """Whether a redirect to a host is gone after."""
        return host in self.hosts or host in self.followed

    def is_public(self, address: str) -> bool:
        """Whether other servers connect to an address."""
        ip = ipaddress.ip_address(address)
        if any(ip in network for network in map(ipaddress.ip_network, self.taken_as_public)):
            return True
        return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SPECIAL)


# Global to Python, and refused by servers: they lead to IPv4 addresses.
# https://github.com/mastodon/mastodon/blob/main/app/lib/private_address_check.rb
_SPECIAL = tuple(map(ipaddress.ip_network, ("2002::/16", "2001::/32", "64:ff9b::/96")))
