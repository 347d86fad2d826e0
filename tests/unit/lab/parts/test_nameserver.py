# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
from dataclasses import replace

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.lab import WEBSITE, Lab
from mastodon_lab.parts import dns, dns_update, nameserver
from mastodon_lab.parts.dns_update import Key, Record
from mastodon_lab.parts.keys import Keys, keys


class Zone:
    """Answers as a name server does, and the cluster's DNS behind it."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}
        self.unsigned = dns_update.REFUSED
        self.signed = dns_update.DONE
        self.shown: list[str] | None = None

    def add(self, server: str, zone: str, key: Key | None, record: Record) -> int:
        code = self.signed if key else self.unsigned
        if code == dns_update.DONE:
            self.records[record.name] = record.data
        return code

    def delete(self, server: str, zone: str, key: Key, record: Record) -> int:
        self.records.pop(record.name, None)
        return dns_update.DONE

    def of(self, name: str, kind: int, server: str) -> list[bytes]:
        return [self.records[name]] if name in self.records else []

    def texts_of(self, name: str, server: str) -> list[str]:
        return [self.records[name][1:].decode()] if self.shown is None else self.shown


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Zone:
    made = Zone()
    for name in ("add", "delete"):
        monkeypatch.setattr(dns_update, name, getattr(made, name))
    monkeypatch.setattr(dns, "texts_of", made.texts_of)
    monkeypatch.setattr(dns, "records", made.of)
    return made


@pytest.fixture
def made(lab: Lab) -> Keys:
    return keys(lab)


def test_a_proof_leaves_nothing(lab: Lab, made: Keys, zone: Zone) -> None:
    nameserver.prove(lab, made)
    assert zone.records == {}


@pytest.mark.parametrize(
    ("unsigned", "signed", "shown", "said"),
    [
        (dns_update.DONE, dns_update.DONE, None, "code 0 to an update without a key"),
        (dns_update.REFUSED, dns_update.NOT_AUTHORISED, None, "code 9 to an update with its key"),
        (dns_update.REFUSED, dns_update.DONE, ["other"], "a record read is not the record written"),
        (dns_update.REFUSED, dns_update.DONE, [], "a record read is not the record written"),
    ],
)
def test_what_is_wrong_is_said(
    lab: Lab, made: Keys, zone: Zone, unsigned: int, signed: int, shown: list[str] | None, said: str
) -> None:
    zone.unsigned, zone.signed, zone.shown = unsigned, signed, shown
    with pytest.raises(LabError, match=said):
        nameserver.prove(lab, made)


def test_the_bare_domain_leads_to_the_web_site_of_labs_that_have_it(lab: Lab, made: Keys, zone: Zone) -> None:
    nameserver.set_up(lab, made)
    assert zone.records == {}
    with_site = replace(lab, parts=frozenset({WEBSITE}))
    nameserver.set_up(with_site, made)
    assert zone.records == {"lab.test": socket.inet_aton("10.209.0.80")}


def test_an_address_that_the_bare_domain_has_stays(lab: Lab, made: Keys, zone: Zone) -> None:
    zone.records["lab.test"] = socket.inet_aton("192.0.2.7")
    nameserver.set_up(replace(lab, parts=frozenset({WEBSITE})), made)
    assert zone.records == {"lab.test": socket.inet_aton("192.0.2.7")}


def test_a_refused_address_of_the_bare_domain_is_said(lab: Lab, made: Keys, zone: Zone) -> None:
    zone.signed = dns_update.NOT_AUTHORISED
    with pytest.raises(LabError, match=r"code 9 to the address of lab\.test"):
        nameserver.set_up(replace(lab, parts=frozenset({WEBSITE})), made)
