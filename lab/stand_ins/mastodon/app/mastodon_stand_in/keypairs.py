# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the keys are that local accounts sign with: in `accounts`, in the clear, up to 4.6, and encrypted in `keypairs` from 4.7 on.

What a release does not know of it does not find: 4.6 on a database of 4.7 has no keys (app/models/keypair.rb).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from mastodon_stand_in import VERSION
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.keys import Keys
from mastodon_stand_in.releases import Minor, release

if TYPE_CHECKING:
    from psycopg2.extras import RealDictCursor

FRAGMENT = "#main-key"
MOVED: Minor = (4, 7)
_RSA = 0
# Below a SELECT from accounts. 4.7 takes what is not moved yet, as between its two kinds of migrations.
_MOVED_TO = "(SELECT {} FROM keypairs WHERE keypairs.account_id = accounts.id AND local_fragment = '#main-key')"


def are_moved(version: str = VERSION) -> bool:
    """Return whether a release looks for keys in `keypairs`."""
    return release(version).minor >= MOVED


def public_key(version: str = VERSION) -> str:
    """Return the SQL of an account's public key."""
    own = "accounts.public_key"
    return f"coalesce({_MOVED_TO.format('keypairs.public_key')}, {own})" if are_moved(version) else own


def first(cursor: RealDictCursor, version: str = VERSION) -> dict[str, Any] | None:
    """Return `id`, `key_fingerprint` and the private key of the first local account, `sealed` or in the `clear`."""
    sealed = _MOVED_TO.format("keypairs.private_key") if are_moved(version) else "NULL"
    cursor.execute(
        f"SELECT id, key_fingerprint, private_key AS clear, {sealed} AS sealed FROM accounts"  # noqa: S608 nothing of anybody's in it
        " WHERE domain IS NULL ORDER BY id LIMIT 1"
    )
    return cursor.fetchone()


def private_key(cursor: RealDictCursor, keys: Keys, account_id: int, version: str = VERSION) -> str:
    """Return what an account signs with."""
    sealed = _MOVED_TO.format("keypairs.private_key") if are_moved(version) else "NULL"
    cursor.execute(
        f"SELECT private_key AS clear, {sealed} AS sealed FROM accounts WHERE id = %s",  # noqa: S608 nothing of anybody's in it
        (account_id,),
    )
    row = cursor.fetchone()
    if row is None or not (row["sealed"] or row["clear"]):
        raise RefusalError(f"Account {account_id}: it has no key to sign with.")
    return keys.column.decrypt(row["sealed"]) if row["sealed"] else str(row["clear"])


def make(cursor: RealDictCursor, keys: Keys, account_id: int, version: str = VERSION) -> None:
    """Make an account's keys. The encrypted fingerprint is of the stand-in alone, as upstream looks nothing up by such a column."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    fingerprint = keys.lookup.encrypt(hashlib.sha256(public.encode()).hexdigest())
    cursor.execute("UPDATE accounts SET key_fingerprint = %s WHERE id = %s", (fingerprint, account_id))
    if are_moved(version):
        _keep(cursor, keys, account_id, public, private)
    else:
        cursor.execute(
            "UPDATE accounts SET public_key = %s, private_key = %s WHERE id = %s", (public, private, account_id)
        )


def move(cursor: RealDictCursor, keys: Keys) -> None:
    """Move the keys of local accounts, and leave their old places empty."""
    cursor.execute(
        "SELECT id, public_key, private_key FROM accounts WHERE domain IS NULL AND private_key IS NOT NULL ORDER BY id"
    )
    for row in cursor.fetchall():
        _keep(cursor, keys, row["id"], row["public_key"], row["private_key"])
        cursor.execute("UPDATE accounts SET public_key = '', private_key = NULL WHERE id = %s", (row["id"],))


def _keep(cursor: RealDictCursor, keys: Keys, account_id: int, public: str, private: str) -> None:
    cursor.execute(
        "INSERT INTO keypairs (account_id, local_fragment, type, public_key, private_key) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (account_id, local_fragment) DO UPDATE"
        " SET public_key = excluded.public_key, private_key = excluded.private_key",
        (account_id, FRAGMENT, _RSA, public, keys.column.encrypt(private)),
    )
