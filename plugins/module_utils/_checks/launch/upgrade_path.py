# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon's releases: which may follow which, and what each needs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.launch.releases import (
    SERIES,
    Minor,
    Series,
    written,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError

# What comes before a release, in its order, is how https://github.com/mastodon/mastodon/tags are written.
_EARLY = ("alpha", "beta", "rc")
_RELEASE = re.compile(rf"v?(\d+)\.(\d+)\.(\d+)(?![\d.])(?:-({'|'.join(_EARLY)})\.?(\d*))?")


@dataclass(frozen=True, order=True)
class Release:
    """One release, or one that came before it; what else follows the third number, such as a digest, does not count.

    `stage` is 0 for an alpha, 1 for a beta, 2 for a release candidate, and 3 for the release itself; `number` counts those of a stage.
    """

    major: int
    minor: int
    patch: int
    stage: int = len(_EARLY)
    number: int = 0

    def __str__(self) -> str:
        """Return it as image tags are written."""
        early = f"-{_EARLY[self.stage]}.{self.number}" if self.stage < len(_EARLY) else ""
        return f"v{self.major}.{self.minor}.{self.patch}{early}"

    @property
    def series(self) -> Minor:
        """Return its minor series."""
        return self.major, self.minor

    @property
    def needs(self) -> Series:
        """Return what it needs; a newer one than we know, at least what the newest known does."""
        return SERIES.get(self.series, SERIES[max(SERIES)] if self.series > max(SERIES) else SERIES[min(SERIES)])


def parse(tag: str) -> Release | None:
    """Return the release that an image tag names, or None for one such as `latest`."""
    found = _RELEASE.match(tag)
    if not found:
        return None
    *numbers, early, number = found.groups()
    of_it = (_EARLY.index(early), int(number or 0)) if early else ()
    return Release(*map(int, numbers), *of_it)


# "deploy at least one release from every minor series": https://docs.joinmastodon.org/admin/upgrading/
def check_step(subject: str, running: Release, wanted: Release) -> None:
    """Raise MastodonError unless `wanted` may be put on the database of `running`."""
    if wanted < running:
        raise MastodonError(
            subject,
            f"cannot go back from {running} to {wanted}",
            "its database is already that of the newer one",
            f"Set mastodon_image_tag to {running} or newer.",
        )
    between = _skipped(running.series, wanted.series)
    if between:
        steps = " → ".join(map(written, (running.series, *between, wanted.series)))
        raise MastodonError(
            subject,
            f"cannot go from {running} to {wanted} in one step",
            f"each minor release migrates the database: {steps}",
            f"Set mastodon_image_tag to the newest {written(between[0])} first.",
        )


def _skipped(running: Minor, wanted: Minor) -> list[Minor]:
    known = [series for series in SERIES if running < series < wanted]
    # Of series that are newer than this table only the numbers are known.
    last = max([running, *known])
    if wanted[0] == last[0]:
        known += [(last[0], minor) for minor in range(last[1] + 1, wanted[1])]
    return known


def is_too_old(version: str, oldest: str) -> bool:
    """Return whether `version` comes before `oldest`. A floating tag such as `14` stands for its newest."""
    found = [int(part) for part in re.findall(r"\d+", version.partition("-")[0])]
    wanted = [int(part) for part in oldest.split(".")]
    return bool(found) and found < wanted[: len(found)]
