# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the zone lab.test, which whoever has its key may change."""

from __future__ import annotations

import secrets

from mastodon_lab.errors import LabError
from mastodon_lab.lab import WEBSITE, Lab
from mastodon_lab.parts import dns, dns_update
from mastodon_lab.parts.dns_update import Key, Record
from mastodon_lab.parts.keys import Keys

ZONE = "lab.test"
KEY_NAME = "lab"
ADVICE = "See `kubectl -n dns logs knot-0`."


def key(keys: Keys) -> Key:
    return Key(KEY_NAME, keys.tsig_secret)


def set_up(lab: Lab, keys: Keys) -> None:
    """Give the bare domain the address of the web site there, if the lab has it, unless it has one."""
    server, address = lab.nameserver_ip, Record.address(ZONE, lab.website_ip)
    if not lab.has(WEBSITE) or dns.records(ZONE, dns.ADDRESS, server):
        return
    if code := dns_update.add(server, ZONE, key(keys), address):
        raise LabError(f"Name server: it answers code {code} to the address of {ZONE}. {ADVICE}")


def prove(lab: Lab, keys: Keys) -> None:
    """Raise LabError or OSError unless its key, and only its key, changes what the cluster's DNS answers."""
    value = secrets.token_hex(8)
    record = Record.text(f"lab-proof-{secrets.token_hex(4)}.{ZONE}", value)
    server = lab.nameserver_ip
    if (code := dns_update.add(server, ZONE, None, record)) not in (dns_update.REFUSED, dns_update.NOT_AUTHORISED):
        raise LabError(f"Name server: it answers code {code} to an update without a key. {ADVICE}")
    if code := dns_update.add(server, ZONE, key(keys), record):
        raise LabError(f"Name server: it answers code {code} to an update with its key. {ADVICE}")
    try:
        if dns.texts_of(record.name, lab.dns_ip) != [value]:
            raise LabError(f"Name server: a record read is not the record written. {ADVICE}")
    finally:
        dns_update.delete(server, ZONE, key(keys), record)
