# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said about the cluster, and where it was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Given:
    """The options that were given, by name, and of those that the environment gave the variable's name."""

    values: Mapping[str, Any]
    variables: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return an option as text, empty when it was not given."""
        return str(self.values.get(name) or "")

    @property
    def has_credentials(self) -> bool:
        """Whether a user is given, so that none of a kubeconfig is meant."""
        return bool(
            self.text("kubernetes_api_key") or self.text("kubernetes_username") or self.text("kubernetes_client_cert")
        )

    def is_of_task(self, name: str) -> bool:
        """Whether an option was given to the task itself, and not by the environment that it happens to run in."""
        return name in self.values and name not in self.variables

    def called(self, name: str) -> str:
        """Return how errors call an option."""
        return f"Variable {self.variables[name]}" if name in self.variables else f"Option {name}"
