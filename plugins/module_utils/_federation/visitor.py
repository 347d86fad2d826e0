# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks declared hosts over HTTPS as other servers do: each request over a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import BYTES, HOPS, Budget
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import quoted
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.urls import host_of, is_ours, joined, split
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Connection
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.exchange import NotHttpError, Reply, exchange
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.https import Trust, reason
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.tls import secured, trust_in_nothing

# As Mastodon calls itself, from a host that there is none of.
MASTODON = "Mastodon/4.5.2 (http.rb/5.3.1; +https://federation-check.invalid/)"
ACTIVITY = "application/activity+json"
# As Mastodon asks for actors: https://github.com/mastodon/mastodon/blob/main/app/helpers/json_ld_helper.rb
ACCEPT_ACTIVITY = f'{ACTIVITY}, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'

_SENT_AS_IT_IS = "%/:=&?~#+!$,;'@()*[]"


class NotReachedError(Exception):
    """No address of a host could be reached, which is a finding already; the text says which host."""


class NoAnswerError(Exception):
    """A host that was reached before did not answer; the text says how."""


@dataclass(frozen=True)
class Hop:
    """One answer on a way of redirects; `to` is where it leads, if anywhere."""

    url: str
    reply: Reply

    @property
    def to(self) -> str:
        """Where it leads as a whole address, empty when it is no redirect."""
        location = self.reply.header("location") if self.reply.status in (301, 302, 303, 307, 308) else ""
        return joined(self.url, location) if location else ""


@dataclass(frozen=True)
class Trail:
    """All answers from a first address to the last that was asked."""

    hops: tuple[Hop, ...]

    @property
    def last(self) -> Hop:
        """Where it ended."""
        return self.hops[-1]

    @property
    def reply(self) -> Reply:
        """What came in the end."""
        return self.last.reply


@dataclass(frozen=True)
class Visitor:
    """Asks one instance. `doors` are the addresses that its hosts were reached at."""

    target: Target
    vantage: Vantage
    trust: Trust
    budget: Budget
    doors: Mapping[str, str]

    def ask(
        self, url: str, method: str = "GET", body: bytes = b"", /, sni: str = "", address: str = "", **headers: str
    ) -> Reply:
        """Ask once, at another address or over a connection that is opened for another name. Raises NotReachedError, NoAnswerError, SpentError."""
        parts, host = split(url), host_of(url)
        if host not in self.doors:
            raise NotReachedError(host)
        self.budget.spend(host)
        # What a redirect says may hold what no request can.
        path = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=_SENT_AS_IT_IS)
        sent = {"Host": host, "User-Agent": MASTODON, "Accept-Encoding": "gzip", "Connection": "close"}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        if body:
            sent["Content-Length"] = str(len(body))
        until = self.budget.until_answered
        try:
            with self._connected(parts.scheme, address or self.doors[host], sni or host) as link:
                return exchange(link, f"{method} {path} HTTP/1.1", sent, body, until(len(body)), BYTES)
        except OSError as error:
            # Our own end is no fault of the server.
            self.budget.take_time()
            raise NoAnswerError(_words(error)) from error

    def ask_twice(self, url: str, /, **how: str) -> Reply:
        """Ask, and once more where nobody answers. Raises what `ask` raises."""
        try:
            return self.ask(url, **how)
        except NoAnswerError:
            return self.ask(url, **how)

    def follow(self, url: str, /, **headers: str) -> Trail:
        """Ask, and go after redirects as far as hosts are declared. Raises what `ask` raises."""
        hops: list[Hop] = []
        while True:
            hops.append(Hop(url, self.ask(url, **headers)))
            url = hops[-1].to
            known = {hop.url for hop in hops}
            if not url or url in known or len(hops) > HOPS or not self._may_follow(url):
                return Trail(tuple(hops))

    def _may_follow(self, url: str) -> bool:
        return is_ours(url) and host_of(url) in self.doors

    def speaks(self, host: str, version: str) -> bool:
        """Whether TLS of this version alone begins at the door of a host. Raises SpentError."""
        self.budget.spend(host)
        until = self.budget.until()
        try:
            plain = self.vantage.connect(self.doors[host], 443, until)
            with secured(plain, host, trust_in_nothing(version), until):
                return True
        except OSError:
            self.budget.take_time()
            return False

    def hold(self, url: str, **headers: str) -> tuple[Reply, float, bool]:
        """Ask for a WebSocket, say nothing on it, and return for how many seconds it stayed open, and whether somebody ended it.

        Raises what `ask` raises.
        """
        host = host_of(url)
        if host not in self.doors:
            raise NotReachedError(host)
        self.budget.spend(host)
        sent = {"Host": host, "User-Agent": MASTODON, **headers}
        try:
            with self._connected("https", self.doors[host], host) as link:
                path = split(url).path
                reply = exchange(link, f"GET {path} HTTP/1.1", sent, b"", self.budget.until_answered(0), BYTES)
                began = time.monotonic()
                ended = reply.status == 101 and _is_ended(link, self.budget.until_held())
                return reply, time.monotonic() - began, ended
        except OSError as error:
            self.budget.take_time()
            raise NoAnswerError(_words(error)) from error

    def _connected(self, scheme: str, address: str, name: str) -> Connection:
        until = self.budget.until()
        plain = self.vantage.connect(address, 443 if scheme == "https" else 80, until)
        return secured(plain, name, self.trust, until) if scheme == "https" else plain


def _is_ended(link: Connection, until: float) -> bool:
    """Wait on a connection that nothing is said on: whether it ends before."""
    link.settimeout(max(until - time.monotonic(), 0.001))
    try:
        # Whatever comes, such as the frame that ends a WebSocket, is the end.
        link.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _words(error: OSError) -> str:
    words = reason(error) or type(error).__name__
    start = error.start if isinstance(error, NotHttpError) else b""
    return f"{words}: {quoted(start, 60)}" if start else words
