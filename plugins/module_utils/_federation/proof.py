# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be found well before anything has passed: that posts can be delivered, and that who sent them can be found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    Cause,
    Fault,
    Finding,
    Verdict,
)

# Each by the checks of which one must have found something to be fine.
_PROOFS: Mapping[str, tuple[str, ...]] = {
    "no inbox answered as it should": ("inbox",),
    "no actor was found, of an account or of the server": ("actor", "webfinger"),
}
# What is not proved at no one place.
WHOLE = "Federation"
NOT_PROVED = Fault(
    "not-proved",
    Verdict.CANNOT_TELL,
    "was not proved to be well, so that the look has failed",
    "Not known: what was not seen may be lost.",
    Cause(
        "no account is declared, the software is not known, or too little answered in time",
        "Declare an account, and mend what else is found.",
    ),
)


def lacking(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield what was not found well, though nothing passes without it; what the declared mode hides is not held against it."""
    for what, checks in _PROOFS.items():
        found = [one for one in findings if one.check in checks]
        if not any(one.verdict is Verdict.FINE or one.as_declared for one in found):
            yield NOT_PROVED.at(WHOLE, what).of(checks[0])
        for one in found:
            if one.unseen:
                yield NOT_PROVED.at(one.subject, one.fact).of(one.check)
