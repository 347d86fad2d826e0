# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's passwords and keys: made once, at random, kept in the lab's state for root alone."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field

from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab


def _secret() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Keys:
    """All are text; `seal_key` and `tsig_secret` are 32 bytes in base64."""

    redis_password: str
    s3_access_key: str
    s3_secret_key: str
    seal_key: str
    smtp_username: str
    smtp_password: str
    # Younger than some labs, whose keys lack it.
    tsig_secret: str = field(default_factory=_secret)

    @classmethod
    def random(cls) -> Keys:
        return cls(
            redis_password=secrets.token_hex(24),
            s3_access_key=f"LAB{secrets.token_hex(8).upper()}",
            s3_secret_key=secrets.token_hex(20),
            seal_key=_secret(),
            smtp_username="mastodon",
            smtp_password=secrets.token_hex(24),
        )


def keys(lab: Lab) -> Keys:
    """The lab's keys; those are made that it does not have yet."""
    file = lab.state / "platform.json"
    try:
        stored = json.loads(file.read_text()) if file.exists() else None
        made = Keys.random() if stored is None else Keys(**stored)
    except (ValueError, TypeError) as error:
        raise LabError(
            f"The platform's keys in {file}: not readable: {error}. "
            "Restore the file, or start over with lab/down --purge-state and lab/up."
        ) from error
    if asdict(made) != stored:
        write_private(file, json.dumps(asdict(made), indent=1))
    return made
