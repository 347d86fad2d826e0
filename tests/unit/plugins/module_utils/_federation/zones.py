# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers on the loopback: those of one zone, and one that everybody asks."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

RESOLVER, ABOVE = "127.0.0.53", "127.0.0.63"
SERVERS = {"ns1.example.org": "127.0.0.61", "ns2.example.org": "127.0.0.62"}


def over_tcp(server: NameServer) -> int:
    """Let a server answer over TCP as well, and return its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            link = listening.accept()[0]
            with link, suppress(OSError, EOFError):
                link.settimeout(5)
                question = dns.query.receive_tcp(link)[0]
                dns.query.send_tcp(link, server._answer(question))

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


@dataclass(frozen=True)
class Said:
    """What comes back for a name and a kind; `unchecked` is what comes when signatures are not to be checked."""

    records: Sequence[str] = ()
    code: str = "NOERROR"
    alias: str = ""
    error: tuple[int, str] | None = None
    unchecked: Sequence[str] = ()
    refers_to: Sequence[str] = ()


@dataclass
class NameServer:
    """One server at one address of the loopback. It knows `names`, and says otherwise what `otherwise` has."""

    link: socket.socket
    names: Mapping[str, Sequence[str]]
    own: bool = True
    silent: bool = False
    # Seconds that each answer takes.
    slow: float = 0.0
    serial: int = 7
    # What becomes of an answer on its way.
    spoil: Callable[[bytes], bytes] = bytes
    otherwise: dict[tuple[str, str], Said] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        """End it: whatever is sent to it wakes it."""
        self.silent = True
        port = self.link.getsockname()
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"end", port)

    def _serve(self) -> None:
        with self.link:
            while True:
                packet, whence = self.link.recvfrom(4096)
                if packet == b"end":
                    return
                if not self.silent:
                    threading.Thread(target=self._reply, args=(packet, whence), daemon=True).start()

    def _reply(self, packet: bytes, whence: object) -> None:
        time.sleep(self.slow)
        answer = self.spoil(self._answer(dns.message.from_wire(packet)).to_wire())
        with suppress(OSError):
            self.link.sendto(answer, whence)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        said = self._said(name, kind)
        options = [dns.edns.EDEOption(*said.error)] if said.error else []
        response = dns.message.make_response(query, recursion_available=not self.own)
        response.use_edns(0, options=options)
        if self.own and not said.refers_to:
            response.flags |= dns.flags.AA
        if said.refers_to:
            response.authority.append(dns.rrset.from_text(f"{name}.", 60, "IN", "NS", *said.refers_to))
        unchecked = bool(query.flags & dns.flags.CD and said.unchecked)
        response.set_rcode(dns.rcode.NOERROR if unchecked else dns.rcode.from_text(said.code))
        if said.alias:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{said.alias}."))
        records = said.unchecked if unchecked else said.records
        if records:
            response.answer.append(dns.rrset.from_text(f"{said.alias or name}.", 60, "IN", kind, *records))
        return response

    def _said(self, name: str, kind: str) -> Said:
        if (name, kind) in self.otherwise:
            return self.otherwise[name, kind]
        if name == "example.org" and kind == "SOA":
            return Said((f"ns1.example.org. admin.example.org. {self.serial} 3600 600 86400 60",))
        if name == "example.org" and kind == "NS":
            return Said(tuple(f"{server}." for server in SERVERS))
        found = [SERVERS[name]] if name in SERVERS else self.names.get(name, ())
        if kind in ("A", "AAAA"):
            return Said(tuple(address for address in found if (":" in address) == (kind == "AAAA")))
        # Names below which there are others are there as well: https://www.rfc-editor.org/rfc/rfc8020
        return Said() if found or name in ("example.org", "org") else Said(code="NXDOMAIN")


@dataclass(frozen=True)
class Zones:
    """The servers of example.org, and the one that everybody asks, all at one port."""

    port: int
    resolver: NameServer
    first: NameServer
    second: NameServer
    above: NameServer

    def say(self, name: str, kind: str, said: Said) -> None:
        """Let all of them say something else."""
        for server in (self.resolver, self.first, self.second):
            server.otherwise[name, kind] = said

    def stop(self) -> None:
        """End them."""
        for server in (self.resolver, self.first, self.second, self.above):
            server.stop()


def serve(names: Mapping[str, Sequence[str]]) -> Zones:
    """Serve what `names` has, whatever it has at a time."""
    links = _links()
    resolver, first, second, above = (NameServer(link, names) for link in links)
    resolver.own = False
    return Zones(links[0].getsockname()[1], resolver, first, second, above)


def _links() -> list[socket.socket]:
    """Return sockets of one port at each address."""
    while True:
        links = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _unused in range(2 + len(SERVERS))]
        links[0].bind((RESOLVER, 0))
        try:
            for link, address in zip(links[1:], (*SERVERS.values(), ABOVE), strict=True):
                link.bind((address, links[0].getsockname()[1]))
        except OSError:
            for link in links:
                link.close()
        else:
            return links
