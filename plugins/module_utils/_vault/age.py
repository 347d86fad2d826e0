# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that only the owner of a key can read, as age has them: https://c2sp.org/age.

Whoever has such a file and its key needs nothing of ours: `age --decrypt --identity KEY FILE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# Ansible's own checks import every file without this; `needs` says in one sentence what is missing.
with suppress(ImportError):
    import pyrage
    from pyrage import ssh, x25519

_SSH = "ssh-"
_SECRET = ("AGE-SECRET-KEY-", "-----BEGIN")
_MAGIC = b"age-encryption.org/v1"


def seal(clear: bytes, recipients: Sequence[str]) -> bytes:
    """Return what only the recipients can open. Raises MastodonError for one that is none."""
    return bytes(pyrage.encrypt(clear, [_recipient(number, one) for number, one in enumerate(recipients, 1)]))


def refuse_strangers(recipients: Sequence[str]) -> None:
    """Raise MastodonError for a recipient that is none, or when there is none."""
    if not recipients:
        raise MastodonError("Option recipients", "is empty", "nobody could open the file", _REMEDY)
    for number, one in enumerate(recipients, 1):
        _recipient(number, one)


_REMEDY = "Give the public key that age-keygen prints, age1…, or that of an SSH key, ssh-ed25519 …."


def _recipient(number: int, text: str) -> x25519.Recipient | ssh.Recipient:
    subject, line = f"Option recipients, entry {number}", text.strip()
    if line.startswith(_SECRET):
        # Not even its beginning is repeated.
        why = "whoever reads your inventory could open the file"
        raise MastodonError(subject, "is a private key", why, f"Make a new one. {_REMEDY}")
    try:
        return ssh.Recipient.from_str(line) if line.startswith(_SSH) else x25519.Recipient.from_str(line)
    except pyrage.RecipientError as error:
        raise MastodonError(subject, "is no public key that age knows", "", _REMEDY) from error


def unseal(sealed: bytes, identity: str, file: str, identity_file: str) -> bytes:
    """Return what was sealed. Raises MastodonError, which names the files and never what is in them."""
    if not sealed.startswith(_MAGIC):
        raise MastodonError(f"File {file}", "is not encrypted by age", "", "Name a file that backup.yml wrote.")
    try:
        keys = [_identity(line) for line in _keys(identity)]
    except pyrage.IdentityError as error:
        raise _no_key(identity_file) from error
    if not keys:
        raise _no_key(identity_file)
    try:
        return bytes(pyrage.decrypt(sealed, keys))
    except pyrage.DecryptError as error:
        remedy = "Use the key of a recipient that it was written for, and check that the file is whole."
        raise MastodonError(
            f"File {file}", "cannot be opened", f"not with the key in {identity_file}", remedy
        ) from error


def _no_key(file: str) -> MastodonError:
    why = "it has neither a line AGE-SECRET-KEY-… nor a private key of SSH without a passphrase"
    return MastodonError(f"File {file}", "is no key that age can use", why, "Name the file that age-keygen wrote.")


def _keys(identity: str) -> list[str]:
    """Return what may be a key: all of an SSH key, or else each line that is no comment."""
    if identity.lstrip().startswith(_SECRET[1]):
        return [identity]
    return [line.strip() for line in identity.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _identity(text: str) -> x25519.Identity | ssh.Identity:
    if text.lstrip().startswith(_SECRET[1]):
        return ssh.Identity.from_buffer(text.encode())
    return x25519.Identity.from_str(text)
