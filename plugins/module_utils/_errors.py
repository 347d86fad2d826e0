# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors that users of the collection meet."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# A webhook may answer with pages of text, and an API server quotes whole objects: how it begins says what, how it ends why.
_LONGEST_REASON = 600
_END_OF_REASON = 250
# On a target this is the folder, or the archive, that Ansible sent.
_COLLECTION = Path(__file__).parents[1]


_LOGIN = re.compile(r"(\w+://)[^\s'\"@/?#]*:[^\s'\"]*@")
# urllib and http.client take what comes after a slash or a colon in a password for a port.
_BROKEN_PORT = re.compile(r"(nonnumeric port:|cast to integer value as) ('[^']*'|\"[^\"]*\")")


class MastodonError(Exception):
    """A failure reported in one sentence: `<subject>: <what failed>: <why>. <What to do.>`

    `subject` names the object (`Cluster mastodon/mastodon-db`, `Vault https://vault:8200`), `failed` says what could
    not be done, `why` quotes the cause and `remedy` is the administrator's next step. None may contain a secret.
    """

    def __init__(self, subject: str, failed: str, why: str = "", remedy: str = "") -> None:
        self.subject = subject
        self.failed = failed
        self.why = one_line(why)
        self.remedy = remedy
        super().__init__(subject, failed, why, remedy)

    def cured(self, remedy: str) -> MastodonError:
        """Return the same with another next step, where there is one."""
        return MastodonError(self.subject, self.failed, self.why, remedy or self.remedy)

    def brief(self) -> str:
        """Return it without the next step, for a sentence that goes on."""
        said = [self.subject, self.failed, self.why]
        return without_logins(": ".join(part.rstrip(" .:") for part in said if part))

    def __str__(self) -> str:
        return without_logins(f"{self.brief()}. {self.remedy}".rstrip())


class CombinedError(MastodonError):
    """Several things that are wrong: errors, or sentences of their own, one a line."""

    def __init__(self, errors: Iterable[MastodonError | str]) -> None:
        self.errors = tuple(errors)
        super().__init__("Several things", "are wrong")

    def __str__(self) -> str:
        return "\n".join(dict.fromkeys(str(error) for error in self.errors))


def unforeseen(subject: str, error: Exception) -> MastodonError:
    """Return what is reported of an error that nobody thought of. Not its text, which may quote a secret: what it is, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _COLLECTION in Path(frame.filename).parents] or frames
    where = f" at {Path(ours[-1].filename).name}, line {ours[-1].lineno}, in {ours[-1].name}" if ours else ""
    remedy = "This is a bug in the collection, or a server sent an answer that none should send: report this line. -vvv shows more."
    return MastodonError(subject, "ended with an unexpected error", f"{type(error).__name__}{where}", remedy)


def way_of(error: Exception) -> str:
    """Return the calls that led to an error, without its text and thus without any value."""
    return "".join(traceback.format_tb(error.__traceback__))


def all_of(checks: Iterable[Callable[[], Iterable[T]]]) -> list[T]:
    """Return all that all of `looks` return. Raises what one of them raises, or CombinedError for several, after the last."""
    found: list[T] = []
    errors: list[MastodonError] = []
    for check in checks:
        try:
            found += check()
        except MastodonError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else CombinedError(errors)
    return found


def innermost(error: BaseException) -> str:
    """Return the cause of an error of `requests`, without the connection and the address that urllib3 puts before it."""
    cause = error
    while inner := next(
        (one for one in (getattr(cause, "reason", None), *cause.args) if isinstance(one, Exception)), None
    ):
        cause = inner
    try:
        text = str(getattr(cause, "strerror", None) or cause)
    except ValueError:
        # It holds a number that is too long to be written: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
        return type(cause).__name__
    # What was sent in the place of what should have been may be anything, and a header that requests does not send a token.
    text = re.sub(r"(?i)(header (?:value|part)).*", r"\1 …", text, flags=re.DOTALL)
    text = re.sub(r"^.*\((\[Errno -?\d+\] .*)\)$", r"\1", text)
    return re.sub(r"\bb['\"].*", "…", re.sub(r"^.*\[Errno -?\d+\] ", "", text))


def shortened(text: str, longest: int, end: int) -> str:
    """Return `text` with its middle left out when it is longer than `longest`; `end` is how much of its end is kept."""
    return text if len(text) <= longest else f"{text[: longest - end].rstrip()} … {text[-end:].lstrip()}"


def without_logins(text: str) -> str:
    """Leave the login of an address out, such as that of a proxy, and what is left of one with a character that it may not have."""
    return _BROKEN_PORT.sub(r"\1 …", _LOGIN.sub(r"\1…@", text))


def one_line(text: str) -> str:
    """Return what can be shown of a text, in one line, with its middle left out when it is long."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return shortened(" ".join(printable.split()), _LONGEST_REASON, _END_OF_REASON)
