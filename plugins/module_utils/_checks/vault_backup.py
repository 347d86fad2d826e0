# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what Vault has was backed up, and has not changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import kept
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import SkippedError, WarnedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.api import Api

LABEL = "fediverse.mastodon/vault-backup-of"
# Keys are made once, but mail servers, DNS providers and S3 servers give new ones.
OLDEST = timedelta(days=31)
_REMEDY = "Make one: ansible-playbook -i inventories/mine fediverse.mastodon.backup."


@dataclass(frozen=True)
class VaultBackup(kept.Ended):
    """The last one: what it has (when each path was `written`), and where it is."""

    mount: str = ""
    written: str = "{}"
    file: str = ""
    host: str = ""
    recipients: str = ""

    @property
    def paths(self) -> Mapping[str, str]:
        """Return when each path was written."""
        found: dict[str, str] = json.loads(self.written)
        return found

    def _result(self) -> str:
        return f"{len(self.paths)} paths for {self.recipients} recipients in {self.file} on {self.host}"

    def changed(self, live: Mapping[str, str]) -> str:
        """Return which paths were written since, empty when none was; `live` is when each was now, empty for one that is not there."""
        names = [path for path, written in live.items() if written and self.paths.get(path) != written]
        return f"written since: {', '.join(names)}" if names and not self.failure else ""


def place_of(namespace: str, name: str) -> kept.Place:
    """Return what keeps that of a Mastodon."""
    return kept.Place(namespace, f"vault-backup-{name}", LABEL, name)


def read(api: Api, namespace: str, name: str) -> VaultBackup | None:
    """Return the last one of a Mastodon, None without any."""
    for where, of, data in kept.read_all(api, LABEL):
        if (where, of) == (namespace, name) and data.get("ended"):
            return kept.record(VaultBackup, data)
    return None


def is_fresh(last: VaultBackup | None, changed: str, name: str, now: datetime, *, wanted: bool) -> str:
    """Report the last one. Raises WarnedError when there is none, or when it failed, is old or lacks what was written since."""
    subject = f"Vault of {name}"
    if last is None and not wanted:
        why = "vault_backup_recipients names nobody who could open a backup of it"
        raise SkippedError(f"{subject}: whether it is backed up is not known, as {why}")
    if last is None:
        raise WarnedError(MastodonError(subject, "was not backed up yet", "", _REMEDY))
    if last.failure:
        raise WarnedError(MastodonError(subject, f"its last backup failed at {last.ended}", last.failure))
    if changed:
        raise WarnedError(MastodonError(subject, f"is not as it was backed up at {last.ended}", changed, _REMEDY))
    if now - datetime.fromisoformat(last.ended) > OLDEST:
        failed = f"was not backed up for {OLDEST.days} days"
        raise WarnedError(MastodonError(subject, failed, f"the last time was at {last.ended}", _REMEDY))
    return f"{subject}: was backed up at {last.ended}, {last.line()}"
