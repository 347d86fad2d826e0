# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How servers come to know a new secret beside the old one, and forget that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns import credential
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._mail import smtp
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline, Reminder
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.answers import RefusedKeysError, UnknownKeysError
from ansible_collections.fediverse.mastodon.plugins.module_utils._stores.server import (
    NotReadyError,
    RefusedLoginError,
)

Values = Mapping[str, str]
# By which servers say that they do not take a value.
REFUSALS = (RefusedLoginError, smtp.RefusedError, UnknownKeysError, credential.RefusedError)
# And what says of an old one that it opens nothing, in whatever words. A new one without a right is not unknown.
NOTHING_OPENED = (*REFUSALS, RefusedKeysError)
# Raises one of these for such a value.
Login = Callable[[Values], object]
_PAUSE = 2.0
_REMIND_AFTER = 15


class Store(Protocol):
    """Whatever a secret opens."""

    def admit(self, current: Values, following: Values) -> str:
        """Let the next value in beside the present one, and return how it was proved. Raises MastodonError unless it was."""

    def dismiss(self, current: Values, previous: Values) -> str:
        """Prove the present value, let the previous one in no more, and return what became of that. Raises MastodonError."""


@dataclass(frozen=True)
class Patience:
    """Asks again what may not be ready yet."""

    deadline: Deadline
    run: Run

    def until(self, ask: Callable[[], object], *, refused: bool = False) -> None:
        """Return once `ask` does; `refused` says that a refused login may pass. Raises the last of its errors."""
        reminder = Reminder(self.deadline, after=_REMIND_AFTER)
        while True:
            try:
                ask()
            except (forward.NotThereError, NotReadyError, *REFUSALS, OSError) as error:
                is_final = isinstance(error, REFUSALS) and not refused
                if is_final or not self.deadline.pause(_PAUSE):
                    if isinstance(error, OSError):
                        raise MastodonError("A server", "does not answer", str(error), "Run again.") from error
                    raise
                if reminder.is_due():
                    self.run.say(f"waiting: {error}")
            else:
                return


@dataclass(frozen=True)
class Nothing:
    """Of a secret that only Mastodon itself knows."""

    def admit(self, current: Values, following: Values) -> str:
        """Have nothing to prove."""
        return "nothing but Mastodon knows it"

    def dismiss(self, current: Values, previous: Values) -> str:
        """Have nobody forget it."""
        return "the old one is in an older version of its path"


@dataclass(frozen=True)
class Yours:
    """A server that the user gives the new value, and takes the old one from. `log_in` proves one."""

    server: object
    log_in: Login
    patience: Patience

    def admit(self, current: Values, following: Values) -> str:
        """Refuse what the server does not take yet."""
        try:
            self.log_in(following)
        except REFUSALS as error:
            remedy = "Give it to the server first, beside the old one if it can have two, and run again."
            raise error.cured(remedy) from error
        return f"{self.server} lets it in"

    def dismiss(self, current: Values, previous: Values) -> str:
        """Report whether the old one is still of use to somebody."""
        self.patience.until(lambda: self.log_in(current))
        try:
            self.patience.until(lambda: self.log_in(previous))
        except NOTHING_OPENED:
            return f"{self.server} refuses the old one"
        except MastodonError as error:
            # The old one may be of any kind, and each run would ask again what nobody answers.
            return f"skipped whether {self.server} still lets the old one in: {error} Take it away there"
        return f"{self.server} still lets the old one in: take it away there"


def lets_in(log_in: Login, values: Values) -> bool:
    """Return whether a server takes these values. What says neither yes nor no is raised."""
    try:
        log_in(values)
    except REFUSALS:
        return False
    return True
