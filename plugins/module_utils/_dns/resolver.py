# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where names lead, asked of a name server."""

from __future__ import annotations

import copy
import ipaddress
import time
from collections.abc import Callable
from contextlib import suppress

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.lookup import Looked, look_up
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs

# Ansible's own checks import every file without it; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import dns.exception
    import dns.resolver

# For one question, tries included.
_SECONDS = 5.0


class Resolver:
    """Asks the name server at `address` and `port`, or when there is none those that this machine asks.

    The name servers of zones, which are asked directly, are the world's: at port 53, but in tests.
    """

    def __init__(self, address: str = "", port: int = 53, *, servers_port: int = 53) -> None:
        needs("dns")
        self._port = port
        self._servers_port = servers_port
        # Says, before each question, until when it may take.
        self.until: Callable[[], float] | None = None
        self._server = f"Name server {f'{address}:{port}' if address else 'of this machine'}"
        if address and not _is_address(address):
            raise MastodonError(
                self._server, "cannot be asked", "it is a name, and not an address", "Give its address."
            )
        try:
            self._resolver = dns.resolver.Resolver(configure=not address)
        except (dns.exception.DNSException, OSError) as error:
            raise self._silent("is not known", error) from error
        if address:
            self._resolver.nameservers = [address]
            self._resolver.port = port

    def within(self, until: Callable[[], float]) -> Resolver:
        """Return one that asks only until a moment of the monotonic clock. Its methods raise also what `until` raises."""
        bounded = copy.copy(self)
        bounded.until = until
        return bounded

    def addresses(self, name: str) -> frozenset[str]:
        """Return the addresses that a name leads to, none when there is no such name.

        An address leads to itself. Raises MastodonError when the name server does not answer.
        """
        if _is_address(name):
            return frozenset({name})
        return self._ask(name, "A") | self._ask(name, "AAAA")

    def zone_of(self, name: str) -> str:
        """Return the zone that a name lies in, without its final dot: empty for the root. Raises MastodonError."""
        try:
            zone = dns.resolver.zone_for_name(f"{name}.", resolver=self._resolver, lifetime=self._seconds())
        except dns.resolver.NoRootSOA as error:
            why, remedy = "its name server does not answer for the root", "Name one that looks names up everywhere."
            raise MastodonError(self._server, f"does not say which zone {name} is in", why, remedy) from error
        except (dns.exception.DNSException, OSError) as error:
            raise self._silent(f"does not say which zone {name} is in", error) from error
        return str(zone.to_text(omit_final_dot=True)).rstrip(".")

    def name_servers(self, zone: str) -> frozenset[str]:
        """Return the names of the servers that the world asks for a zone. Raises MastodonError."""
        return frozenset(name.rstrip(".") for name in self._ask(zone, "NS"))

    def knows(self, address: str, zone: str) -> bool | None:
        """Whether the name server at an address calls itself one of this zone; None when it does not answer at all."""
        found = self.ask_at(address, zone, "SOA")
        return bool(found.of_its_own and found.records) if found.code else None

    def ask_at(self, address: str, name: str, kind: str) -> Looked:
        """Return what the name server at an address says."""
        return self._look_up(address, self._servers_port, name, kind)

    def look(self, name: str, kind: str, *, unchecked: bool = False) -> Looked:
        """Return what the first of the name servers says that says anything."""
        found = Looked("", "there is no name server to ask")
        for address in map(str, self._resolver.nameservers):
            found = self._look_up(address, self._port, name, kind, unchecked=unchecked)
            if found.code:
                break
        return found

    def _look_up(self, address: str, port: int, name: str, kind: str, *, unchecked: bool = False) -> Looked:
        found = look_up(address, port, name, kind, self._seconds(), unchecked=unchecked)
        if not found.code:
            # A silence that our own end makes says nothing of the server.
            self._seconds()
        return found

    def _seconds(self) -> float:
        return min(_SECONDS, max(self.until() - time.monotonic(), 0.001)) if self.until else _SECONDS

    def _ask(self, name: str, kind: str) -> frozenset[str]:
        try:
            answer = self._resolver.resolve(f"{name}.", kind, raise_on_no_answer=False, lifetime=self._seconds())
        except dns.resolver.NXDOMAIN:
            return frozenset()
        except (dns.exception.DNSException, OSError) as error:
            raise self._silent(f"does not say where {name} leads", error) from error
        return frozenset(record.to_text() for record in answer)

    def _silent(self, failed: str, error: Exception) -> MastodonError:
        self._seconds()
        remedy = "Check its address, and whether a firewall keeps you from it."
        return MastodonError(self._server, failed, next(iter(str(error).splitlines()), type(error).__name__), remedy)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
