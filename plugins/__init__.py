# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let Python keep what it compiles of the files that actions share.

Ansible's loader of collections compiles the 300 files that actions share anew in each run, for three tenths of a second. Python's own keeps
bytecode beside each until it changes, as Ansible lets it for the actions themselves:
https://github.com/ansible/ansible/blob/v2.19.0/lib/ansible/utils/collection_loader/_collection_finder.py
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

_SHARED = (f"{__name__}.module_utils.", f"{__name__}.plugin_utils.")


class SharedFinder(MetaPathFinder):
    """Asked before Ansible's: https://docs.python.org/3/reference/import.html#the-meta-path."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how Python loads a file that actions share; None for all others."""
        return _finder(path[0]).find_spec(fullname) if path and fullname.startswith(_SHARED) else None


@cache
def _finder(folder: str) -> FileFinder:
    return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))


sys.meta_path.insert(0, SharedFinder())
