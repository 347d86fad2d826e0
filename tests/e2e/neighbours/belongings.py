# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to Mastodon, made wrong for a while: its media, its keys and its clock."""

from __future__ import annotations

from contextlib import ExitStack

import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.identity import fingerprint
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from requests_aws4auth import AWS4Auth

from ...conftest import Lab
from ..bucket import address, secret

MEDIA = "https://media.lab.test/"
PICTURE = "site_uploads/federation.png"
WEB = ("deployment", "-n=mastodon", "mastodon-web")
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
# The server's own actor: app/models/concerns/account/finder_concern.rb
_ITS = "account_id = (SELECT id FROM accounts WHERE username = 'mastodon.internal')"
# As it was declared before.
_KNOWN: list[str] = []


def picture(lab: Lab) -> dict[str, object]:
    """Return how a picture is declared, which is in the bucket from then on."""
    requests.put(f"{address(lab)}/{PICTURE}", data=b"a picture", auth=_keys(lab), timeout=10).raise_for_status()
    return {"media_hostname": "media.lab.test", "media_path": PICTURE}


def without_policy(stack: ExitStack, lab: Lab) -> None:
    """Let the bucket be without its policy."""
    place, auth = f"{address(lab)}?policy=", _keys(lab)
    policy = requests.get(place, auth=auth, timeout=10)
    policy.raise_for_status()
    stack.callback(lambda: requests.put(place, data=policy.content, auth=auth, timeout=10).raise_for_status())
    requests.delete(place, auth=auth, timeout=10).raise_for_status()


def _keys(lab: Lab) -> AWS4Auth:
    keys = secret(lab, "mastodon-s3")
    return AWS4Auth(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], "us-east-1", "s3")


def another_key(stack: ExitStack, lab: Lab) -> None:
    """Let the server have another key than it had, as with a database that was made anew."""

    def show(key: str) -> None:
        _sql(lab, f"UPDATE keypairs SET public_key = '{key}' WHERE {_ITS}")  # noqa: S608 nobody else wrote it

    before = _sql(lab, f"SELECT public_key FROM keypairs WHERE {_ITS}")  # noqa: S608 nobody else wrote it
    _KNOWN[:] = [fingerprint(before)]
    stack.callback(show, before)
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    show(made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def known_key(_lab: Lab) -> dict[str, object]:
    """Return how the key is declared that was there before."""
    return {"key_fingerprint": _KNOWN[0]}


def _sql(lab: Lab, statement: str) -> str:
    psql = ("psql", "--tuples-only", "--no-align", "--dbname=mastodon", f"--command={statement}")
    return lab.kubectl("exec", "-n=mastodon", "mastodon-db-1", "--container=postgres", "--", *psql).strip()
