# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small internet on the loopback: a Mastodon behind addresses and names, over real TCP and TLS, which tests break."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.budget import Budget
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import (
    CHECKS,
    Explain,
    as_seen,
    examine,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import Finding, Verdict
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.target import Target
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.dial import Dial, direct
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority

from . import zones
from .mastodon import DOMAIN, HOST, MEDIA, Answer, Mastodon, Request, Response

# Networks of the documentation, which the tests take as public.
PUBLIC = ("192.0.2.0/24", "2001:db8::/32")
ADDRESS = "192.0.2.1"
# The name that a thread's connection was opened for.
_here = threading.local()


@dataclass
class Certificates:
    """What one address shows, by the name it is asked for: a chain with its key."""

    folder: Path
    default: Path | None = None
    by_name: dict[str, Path] = field(default_factory=dict)
    # For which there is no listener.
    refused: set[str] = field(default_factory=set)
    versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    _contexts: dict[tuple[Path | None, tuple[ssl.TLSVersion, ssl.TLSVersion]], ssl.SSLContext] = field(
        default_factory=dict
    )

    def show(self, chain: str, key: str, *hosts: str) -> None:
        """Show a chain for these hosts; for all when none is named."""
        path = self.folder / f"{len(list(self.folder.iterdir()))}.pem"
        path.write_text(chain + key)
        if not hosts:
            self.default = path
        for host in hosts:
            self.by_name[host] = path

    def secure(self, link: socket.socket) -> tuple[ssl.SSLSocket, str]:
        """Return the connection with TLS on it, and the name that was asked for."""
        _here.asked = ""
        return self._context(self.default).wrap_socket(link, server_side=True), _here.asked

    def _choose(self, link: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> int | None:
        _here.asked = name or ""
        if _here.asked in self.refused:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if path := self.by_name.get(_here.asked):
            link.context = self._context(path)
        return None

    def _context(self, path: Path | None) -> ssl.SSLContext:
        """Return what is made once for a file, as that takes longer than all else."""
        key = (path, self.versions)
        if key not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version, context.maximum_version = self.versions
            context.sni_callback = self._choose
            if path:
                context.load_cert_chain(path)
            self._contexts[key] = context
        return self._contexts[key]


DECLARED = Target(DOMAIN, HOST, account="alice", taken_as_public=PUBLIC)


@dataclass
class World:
    """Names, addresses, and what answers at each."""

    folder: Path
    target: Target = DECLARED
    answer: Answer = field(default_factory=Mastodon)
    names: dict[str, Sequence[str]] = field(init=False)
    zones: zones.Zones = field(init=False)
    asked: list[Request] = field(default_factory=list)
    authority: Authority = field(default_factory=Authority)
    certificates: dict[str, Certificates] = field(default_factory=dict)
    ports: dict[tuple[str, int], int] = field(default_factory=dict)
    # Names of those that look; all do when none is named.
    checks: Sequence[str] = ()
    limits: Mapping[str, Any] = field(default_factory=lambda: {"patience": 20.0, "seconds": 60.0})
    # What happens on a connection in place of TLS, and whether it did.
    shake: Callable[[socket.socket], bool] | None = None
    # The test's own when there is none.
    vantage: Vantage | None = None
    explain: Explain = as_seen
    _listening: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Serve the domain and the web host at one address."""
        self.names = {DOMAIN: [ADDRESS], HOST: [ADDRESS]}
        self.zones = zones.serve(self.names)
        self.serve(ADDRESS).show(*self.authority.issue(DOMAIN, HOST))

    def serve(self, address: str) -> Certificates:
        """Let somebody answer at an address."""
        folder = self.folder / address.replace(":", "-")
        folder.mkdir()
        self.certificates[address] = Certificates(folder)
        for port in (443, 80):
            listening = socket.create_server(("127.0.0.1", 0))
            self._listening.append(listening)
            self.ports[address, port] = listening.getsockname()[1]
            threading.Thread(target=self._accept, args=(listening, address, port), daemon=True).start()
        return self.certificates[address]

    def change(self, path: str, answer: Answer | Response, *, host: str = "", method: str = "GET") -> None:
        """Let what begins with `path`, and is asked so, be answered otherwise."""
        before = self.answer

        def changed(request: Request) -> Response:
            if (
                request.path.startswith(path)
                and request.method == method
                and request.host == (host or request.host)
                and request.port == 443
            ):
                return answer if isinstance(answer, Response) else answer(request)
            return before(request)

        self.answer = changed

    def serve_media(self) -> None:
        """Let the host of media be there, at the address of the others."""
        self.names[MEDIA] = [ADDRESS]
        self.certificates[ADDRESS].show(*self.authority.issue(MEDIA), MEDIA)
        self.target = replace(self.target, media=MEDIA)

    def look(self, **changed: Any) -> Report:
        """Look at it from outside."""
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(cadata=self.authority.certificate)
        target = replace(self.target, **changed)
        checks = [check for check in CHECKS if check.name in self.checks]
        resolver = Resolver(zones.RESOLVER, self.zones.port, servers_port=self.zones.port)
        vantage, budget = self.vantage or Vantage("the test", self._way), Budget(**self.limits)
        return examine(target, vantage, resolver, trust, budget, checks, self.explain)

    def stop(self) -> None:
        """End all servers."""
        self.zones.stop()
        for listening in self._listening:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def _way(self, address: str, port: int, seconds: float) -> Dial:
        # Where nobody serves, nobody listens.
        return direct("127.0.0.1", self.ports.get((address, port), 1), seconds)

    def _accept(self, listening: socket.socket, address: str, port: int) -> None:
        while True:
            try:
                link, _unused = listening.accept()
            except OSError:
                return
            talk = partial(self._talk, link, address, port)
            threading.Thread(target=talk, daemon=True).start()

    def _talk(self, link: socket.socket, address: str, port: int) -> None:
        with suppress(OSError), link:
            link.settimeout(10)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if port == 80:
                self._serve_one(link, address, port, "")
                return
            if self.shake and self.shake(link):
                return
            secured, sni = self.certificates[address].secure(link)
            with secured:
                self._serve_one(secured, address, port, sni)

    def _serve_one(self, link: socket.socket, address: str, port: int, sni: str) -> None:
        came = link.makefile("rb")
        first = came.readline().decode("latin-1").split(" ")
        if len(first) < 2:
            return
        headers = {}
        while line := came.readline().decode("latin-1").strip():
            name, _unused, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = came.read(int(headers.get("content-length", "0")))
        request = Request(first[0], headers.get("host", ""), first[1], headers, body, address, port, sni)
        self.asked.append(request)
        response = self.answer(request)
        link.sendall(response.wire())
        if response.stays:
            link.settimeout(response.stays)
            link.recv(1)


def faults(report: Report) -> list[str]:
    """Return the sentences of what is wrong, with their verdicts."""
    return [f"{one.verdict} {one}" for one in report.findings if one.fault]


def assert_passes(report: Report) -> None:
    """Compare a report with one that has passed without a fault."""
    assert faults(report) == []
    assert report.passed


def only(report: Report) -> Finding:
    """Return the one thing that is wrong."""
    found = [one for one in report.findings if one.fault]
    assert len(found) == 1, faults(report)
    return found[0]


def verdicts(report: Report) -> set[Verdict]:
    """Return all verdicts there are."""
    return {one.verdict for one in report.findings}
