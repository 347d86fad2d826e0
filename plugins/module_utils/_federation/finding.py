# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found, by what is lost with it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

_LONGEST = 400
_LONGEST_PART = 160


class Verdict(StrEnum):
    """What becomes of posts and accounts; the worst comes first."""

    LOST = "LOST"
    CUT = "CUT"
    SOME = "SOME"
    CANNOT_TELL = "cannot tell"
    NOTE = "note"
    SKIPPED = "skipped"
    FINE = "fine"


ORDER = tuple(Verdict)
# With which nothing has passed.
BAD = (Verdict.LOST, Verdict.CUT)
# What a next step begins with that is to be copied to a shell.
COMMANDS = ("curl", "dig", "kubectl", "nc", "openssl")
MEANING = {
    Verdict.LOST: "posts are dropped for ever, or accounts deleted",
    Verdict.CUT: "it is tried again for some days; after seven of them other servers give up",
    Verdict.SOME: "some software cannot, or some features do not work",
    Verdict.CANNOT_TELL: "this cannot be seen from here",
    Verdict.NOTE: "worth knowing",
    Verdict.SKIPPED: "not looked at, as the declared mode or an earlier finding makes it pointless",
    Verdict.FINE: "as it must be",
}


UNKNOWN = "not known from outside"


@dataclass(frozen=True)
class Cause:
    """Why something may be so, and one command to go on with."""

    why: str
    next: str
    # Whether it is seen to be so, and not only likely.
    proved: bool = False

    def of(self, host: str) -> Cause:
        """Return it with a host in its fields."""
        return Cause(self.why.format(host=host), self.next.format(host=host))


@dataclass(frozen=True)
class Fault:
    """One thing that can be wrong: a row of the documentation. `message`, `cause` and `next` have fields in braces."""

    name: str
    verdict: Verdict
    message: str
    loses: str
    cause: Cause

    def at(self, subject: str, fact: str = "", /, **fields: str) -> Finding:
        """Return that it was found. Commands may be copied to a shell, so that what comes from outside is quoted in them."""
        known = {name: shown(value) for name, value in {"subject": subject, **fields}.items()}
        cause = Cause(self.cause.why.format_map(known), _command(self.cause.next, known))
        message = self.message.format_map(known)
        return Finding(self.verdict, shown(subject), message, shown(fact, _LONGEST), self.name, self.loses, cause)


def _command(template: str, known: Mapping[str, str]) -> str:
    """Return what to do next: in a command each field is one word, and in a sentence those that stand in quotation marks are."""
    quoted = {name: shlex.quote(value) for name, value in known.items()}
    parts = re.split(r"('\{\w+\}')", template)
    is_command = template.partition(" ")[0] in COMMANDS
    return "".join(
        part.strip("'").format_map(quoted)
        if part.startswith("'{") and part.endswith("}'")
        else part.format_map(quoted if is_command else known)
        for part in parts
    )


@dataclass(frozen=True)
class Finding:
    """What a check found at one place; `fact` is what came from there, as it can be shown.

    `as_declared` is whether the declared mode is why something was not looked at, and `unseen` whether a check did not come to its end.
    """

    verdict: Verdict
    subject: str
    message: str
    fact: str = ""
    fault: str = ""
    loses: str = ""
    cause: Cause | None = None
    check: str = ""
    as_declared: bool = False
    unseen: bool = False

    def __str__(self) -> str:
        """Return the sentence that tables begin with."""
        return f"{': '.join(part for part in (self.subject, self.message, self.fact) if part)}."

    @property
    def link(self) -> str:
        """Where in docs/federation it is explained."""
        return f"{self.check}.md#{self.fault}" if self.fault else ""

    def because(self, cause: Cause | None) -> Finding:
        """Return it with a cause that is known better than by the fault alone."""
        return replace(self, cause=cause) if cause else self

    def of(self, check: str) -> Finding:
        """Return it as one of this check."""
        return replace(self, check=check)


def fine(subject: str, message: str, fact: str = "") -> Finding:
    """Return that something is as it must be."""
    return Finding(Verdict.FINE, shown(subject), message, shown(fact, _LONGEST))


def skipped(subject: str, why: str, *, as_declared: bool = False) -> Finding:
    """Return that something was not looked at."""
    why = shown(why, _LONGEST)
    return Finding(Verdict.SKIPPED, shown(subject), "was not looked at", why, as_declared=as_declared)


def shown(content: bytes | str, longest: int = _LONGEST_PART) -> str:
    """Return what somebody sent as it can be shown anywhere: no character in it does anything, and its length is bounded."""
    text = content[: 4 * longest].decode("utf-8", "backslashreplace") if isinstance(content, bytes) else content
    safe = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text[: longest + 1])
    return safe if len(safe) <= longest else f"{safe[:longest]}…"


def quoted(content: bytes, longest: int) -> str:
    """Return what somebody sent between quotation marks, escaped once."""
    return f"'{shown(content, longest)}'"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii") if letter.isascii() else f"\\u{ord(letter):04x}"
