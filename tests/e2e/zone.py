# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's zone, as people see it and as they change it by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.tsig
import dns.update
import dns.zone
from mastodon_lab.parts import dns_update
from mastodon_lab.parts.dns_update import Key, Record

from ..conftest import Lab

DOMAIN = "social.lab.test"
HAND_MADE = "192.0.2.66"
EXTERNAL_DNS = ("helmrelease", "-n=external-dns", "external-dns-mastodon")


class Zone:
    """The lab's name server, and its key as Vault has it."""

    def __init__(self, lab: Lab) -> None:
        found = lab.stored("dns")
        self._key = Key(found["tsig-key-name"], found["tsig-secret"])
        self._server = lab.facts["nameserver_address"]
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [self._server]

    def texts(self, name: str, kind: str) -> list[str]:
        try:
            return sorted(record.to_text() for record in self._resolver.resolve(f"{name}.", kind))
        except dns.resolver.NXDOMAIN:
            return []

    def note(self, name: str, value: str) -> None:
        """Add a text."""
        assert dns_update.add(self._server, "lab.test", self._key, Record.text(name, value)) == dns_update.DONE

    def forget(self, name: str) -> None:
        """Remove all texts of a name."""
        assert dns_update.delete(self._server, "lab.test", self._key, Record.text(name, "")) == dns_update.DONE

    def replace(self, name: str, ip: str) -> None:
        """Do by hand what people do in a provider's web page."""
        record = Record.address(name, ip)
        assert dns_update.delete(self._server, "lab.test", self._key, record) == dns_update.DONE
        assert dns_update.add(self._server, "lab.test", self._key, record) == dns_update.DONE

    @contextmanager
    def added(self, name: str, kind: str, value: str) -> Iterator[None]:
        """Have one more record for a while."""
        change = self._change()
        change.add(f"{name}.", dns_update.TTL, kind, value)
        self._send(change)
        try:
            yield
        finally:
            change = self._change()
            change.delete(f"{name}.", kind, value)
            self._send(change)

    @contextmanager
    def instead(self, name: str, kind: str, value: str) -> Iterator[None]:
        """Have one record in place of those of a name and kind, for a while."""
        with self.without(name, kind, value):
            yield

    @contextmanager
    def without(self, name: str, kind: str, *values: str) -> Iterator[None]:
        """Have no record of a name and kind, or only these, for a while."""
        before = self.texts(name, kind)
        self._set(name, kind, values)
        try:
            yield
        finally:
            self._set(name, kind, before)

    def _set(self, name: str, kind: str, values: Iterable[str]) -> None:
        change = self._change()
        change.delete(f"{name}.", kind)
        for value in values:
            change.add(f"{name}.", dns_update.TTL, kind, value)
        self._send(change)

    def everything(self) -> frozenset[tuple[str, str, str]]:
        """Return name, kind and value of all records but the zone's own, whose number rises with each change."""
        transfer = dns.query.xfr(self._server, "lab.test.", keyring=self._named(), lifetime=30, relativize=False)
        zone = dns.zone.from_xfr(transfer, relativize=False)
        return frozenset(
            (str(name).rstrip("."), dns.rdatatype.to_text(data.rdtype), data.to_text())
            for name, _ttl, data in zone.iterate_rdatas()
            if data.rdtype != dns.rdatatype.SOA
        )

    def _named(self) -> dns.tsig.Key:
        return dns.tsig.Key(self._key.name, self._key.secret, dns.tsig.HMAC_SHA256)

    def _change(self) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage("lab.test.", keyring=self._named())

    def _send(self, change: dns.update.UpdateMessage) -> None:
        answer = dns.query.tcp(change, self._server, timeout=10)
        assert answer.rcode() == dns.rcode.NOERROR, dns.rcode.to_text(answer.rcode())
