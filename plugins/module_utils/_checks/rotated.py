# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets may be replaced by new ones, what that means, and what is kept of it. Pure, but for reading records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

LABEL = "fediverse.mastodon/rotation-of"
# What is asked for by name, as it cannot be taken back, and what it means.
CONSEQUENCES = {
    "secret_key_base": (
        "everybody_is_signed_out",
        "everybody is signed out, and links in mails that were sent open nothing",
    ),
    "vapid": ("push_subscriptions_end", "browsers get no notifications until people allow them again"),
}
# What nobody can replace, with the reason: https://github.com/mastodon/mastodon/blob/main/config/initializers/active_record_encryption.rb
NEVER = {
    "active_record_encryption": "Mastodon reads one key of each kind, and nothing that is encrypted with the present ones could be read: second "
    "factors, and from 4.7 on the key by which other servers know each account",
    "vault": "nothing is stored: External Secrets logs in with a token of its ServiceAccount, which Kubernetes makes anew for each login. "
    "Of a Vault outside of the cluster, the token of vault-reviewer is replaced as the README of role vault says",
}


@dataclass(frozen=True)
class Rotated(kept.Ended):
    """The last time. `change` has fingerprints only."""

    secret: str
    change: str = ""
    old: str = ""

    def _result(self) -> str:
        return f"{self.change}; {self.old}"


def refuse(secret: str, accepted: str) -> None:
    """Raise MastodonError for a secret that cannot be replaced, or whose consequence was not named."""
    subject = f"Secret {secret}"
    if secret in NEVER:
        raise MastodonError(subject, "is not rotated", NEVER[secret])
    name, means = CONSEQUENCES.get(secret, ("", ""))
    if name and accepted != name:
        raise MastodonError(
            subject, "is not rotated without need", means, f"Add -e rotate_accept={name} if you mean it."
        )


def place_of(namespace: str, name: str, secret: str) -> kept.Place:
    """Return what keeps that of a Mastodon's secret."""
    secret = secret.replace("_", "-")
    return kept.Place(namespace, f"{name}-rotation-{secret}", LABEL, f"{name}.{secret}")


def read_all(api: Api) -> Iterator[tuple[str, Rotated]]:
    """Yield the last time of each secret, with how the Mastodon is called that has it."""
    for namespace, of, data in kept.read_all(api, LABEL):
        if data.get("ended"):
            yield f"{namespace}/{of.partition('.')[0]}", kept.record(Rotated, data)
