# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the hosts of an instance are reached: which addresses their names lead to, and whether TLS begins at each."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget, SpentError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import Trust, is_about_tls, reason
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.tls import chain_of, secured, trust_in_nothing

Names = Callable[[str], Set[str]]
PORT = 443
# What a machine without routes to IPv6, or to IPv4, says.
NO_ROUTES = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_THREADS = 16


@dataclass(frozen=True)
class Link:
    """One address of a host: why TCP or TLS did not begin, if so, and the certificates that were sent.

    `spent` is whether our own time was over, which says nothing of the host.
    """

    host: str
    address: str
    tcp: str = ""
    tls: str = ""
    spent: bool = False
    no_route: bool = False
    chain: Sequence[bytes] = ()

    @property
    def is_well(self) -> bool:
        """Whether a server that takes this address could ask something."""
        return not (self.tcp or self.tls)


@dataclass(frozen=True)
class Probed:
    """One host: its addresses, or why there are none, and how each was reached."""

    host: str
    links: Sequence[Link] = ()
    unknown: str = ""
    spent: bool = False


@dataclass(frozen=True)
class Prober:
    """Opens connections to declared hosts and sends nothing over them."""

    target: Target
    vantage: Vantage
    names: Names
    trust: Trust
    budget: Budget

    def probe(self) -> Mapping[str, Probed]:
        """Return how each host is reached."""
        with ThreadPoolExecutor(_THREADS) as pool:
            hosts = tuple(dict.fromkeys((*self.target.hosts, *self.target.followed)))
            found = list(pool.map(self._addresses, hosts))
            named = {one.host: one for one, _unused in found}
            pairs = [(one.host, address) for one, addresses in found for address in addresses]
            links = list(pool.map(lambda pair: self._link(*pair), pairs))
        return {
            host: replace(one, links=tuple(link for link in links if link.host == host)) for host, one in named.items()
        }

    def again(self, vantage: Vantage, probed: Mapping[str, Probed]) -> Mapping[str, Probed]:
        """Return how the same addresses are reached from another place."""
        known = {host: frozenset(link.address for link in one.links) for host, one in probed.items()}
        return replace(self, vantage=vantage, names=known.__getitem__).probe()

    def _addresses(self, host: str) -> tuple[Probed, Sequence[str]]:
        try:
            return Probed(host), sorted(self.names(host))
        except SpentError as error:
            return Probed(host, unknown=str(error), spent=True), ()
        except MastodonError as error:
            return Probed(host, unknown=f"{error.failed}: {error.why}"), ()

    def _link(self, host: str, address: str) -> Link:
        """Open a connection, and look at its certificates by another when they are not trusted."""
        link = partial(Link, host, address)
        try:
            until = self.budget.until()
            plain = self.vantage.connect(address, PORT, until)
        except SpentError as error:
            return link(tcp=str(error), spent=True)
        except OSError as error:
            no_route = error.errno in NO_ROUTES and not self.vantage.has_route(address)
            return link(tcp=reason(error), no_route=no_route, spent=self.budget.is_spent)
        try:
            with secured(plain, host, self.trust, until) as trusted:
                return link(chain=chain_of(trusted))
        except OSError as error:
            words = reason(error) or type(error).__name__
            if self.budget.is_spent:
                return link(tcp=words, spent=True)
            return link(tls=words, chain=self._shown(host, address) if is_about_tls(error) else ())

    def _shown(self, host: str, address: str) -> Sequence[bytes]:
        try:
            until = self.budget.until()
            plain = self.vantage.connect(address, PORT, until)
            with secured(plain, host, trust_in_nothing(), until) as untrusted:
                return chain_of(untrusted)
        except (OSError, SpentError):
            return ()


def doors(probed: Mapping[str, Probed]) -> Mapping[str, str]:
    """Return the first address of each host over which something can be asked."""
    well = {host: [link.address for link in one.links if link.is_well] for host, one in probed.items()}
    return {host: addresses[0] for host, addresses in well.items() if addresses}
