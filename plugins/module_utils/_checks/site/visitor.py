# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks a site what other servers ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.questions import (
    Question,
    Site,
    WrongError,
    questions,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.way import Way, by_name
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import https
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.parallel import for_each


class NotReachedError(Exception):
    """Whoever serves a host for the world is out of reach from here; the text says why."""


@dataclass(frozen=True)
class Found:
    """What was found well, and what could not be asked, which is no answer at all."""

    well: str
    skipped: str = ""

    def __str__(self) -> str:
        """Return both, in words."""
        return "; ".join(part for part in (self.well, self.skipped) if part)


@dataclass(frozen=True)
class _Outcome:
    """What came of one question: one of these, in words; what was found well may need none."""

    question: Question
    well: str = ""
    skipped: str = ""
    wrong: str = ""


@dataclass(frozen=True)
class Visitor:
    """Asks one site, by one way and with one trust; `note` is what to report of that trust."""

    site: Site
    way: Way
    trust: https.Trust
    note: str = ""

    def ask(self) -> Found:
        """Return what was found. Raises WrongError with all that was not, OSError for a certificate of somebody unknown."""
        first, *others = questions(self.site)
        # By itself, as who does not know the certificate needs no more answers.
        outcomes = [self._outcome(first), *for_each(self._outcome, others)]
        wrong: dict[str, list[str]] = defaultdict(list)
        for outcome in outcomes:
            if outcome.wrong:
                wrong[outcome.wrong].append(str(outcome.question))
        if wrong:
            raise WrongError("; ".join(f"{why} ({', '.join(where)})" for why, where in wrong.items()))
        said = ", ".join(part for part in (self.way.label, *(one.well for one in outcomes), self.note) if part)
        skipped = "; ".join(one.skipped for one in outcomes if one.skipped)
        return Found(f"{self.site}: answers for {self.site.domain} at {said}", skipped)

    def _outcome(self, question: Question) -> _Outcome:
        try:
            return _Outcome(question, well=self._answer(question))
        except NotReachedError as reason:
            return _Outcome(question, skipped=f"skipped the request to {question}: {reason}")
        except WrongError as error:
            return _Outcome(question, wrong=str(error))

    def _answer(self, question: Question) -> str:
        dial = by_name(question.host) if question.elsewhere else self.way.dial
        try:
            return question.check(https.get(dial, question.host, question.path, self.trust))
        except OSError as error:
            if https.is_of_unknown_issuer(error):
                raise
            if question.elsewhere and not https.is_about_tls(error):
                # That it is out of reach from here says nothing about others.
                raise NotReachedError(https.reason(error)) from error
            raise WrongError(https.reason(error)) from error
        except MastodonError as error:
            raise WrongError(str(error).rstrip(".")) from error


def visit(visitors: Sequence[Visitor]) -> Found:
    """Return what the first of them finds who knows the site's certificates. Raises WrongError with what is wrong."""
    unknown = "nobody asked"
    for visitor in visitors:
        try:
            return visitor.ask()
        except OSError as error:
            unknown = https.reason(error)
    raise WrongError(unknown)
