# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name server of the zone lab.test, which whoever has its key may change."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import dns, dns_update
from mastodon_lab.parts.dns_update import Key, Record
from mastodon_lab.parts.keys import Keys

ZONE = "lab.test"
KEY_NAME = "lab"
ADVICE = "See `kubectl -n dns logs knot-0`."


def seeds(lab: Lab) -> Mapping[str, str]:
    """Names that nothing else writes into the zone yet, and where they lead; external-dns makes them needless."""
    return {f"social.{ZONE}": lab.gateway_ip, f"*.social.{ZONE}": lab.gateway_ip}


def key(keys: Keys) -> Key:
    return Key(KEY_NAME, keys.tsig_secret)


def set_up(lab: Lab, keys: Keys) -> None:
    """Write the seeds that are absent; whatever somebody else wrote stays."""
    for name, ip in seeds(lab).items():
        code = dns_update.add_if_absent(lab.nameserver_ip, ZONE, key(keys), Record.address(name, ip))
        if code not in (dns_update.DONE, dns_update.EXISTS):
            raise LabError(f"Name server: writing {name} failed: it answers code {code}. {ADVICE}")


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
