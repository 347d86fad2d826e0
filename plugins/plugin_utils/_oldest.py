# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refuse an ansible-core or a Python that is too old, when it is imported: before all that needs what they have not.

What raises errors takes their class from here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.release import __version__

__all__ = ["AnsibleError"]

# That of the oldest ansible-core: https://docs.ansible.com/ansible/latest/reference_appendices/release_and_maintenance.html
PYTHON = (3, 11)
_RUNTIME = Path(__file__).parents[2] / "meta/runtime.yml"


def core() -> str:
    """Return the oldest ansible-core, as Ansible is given it."""
    found = re.search(r'^requires_ansible: ">=(\d+\.\d+)', _RUNTIME.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "0.0"


def refusal(version: str, python: tuple[int, ...]) -> str:
    """Return why these versions cannot be used, and what to do; an empty text when they can."""
    if python[:2] < PYTHON:
        newer = ".".join(map(str, PYTHON))
        return (
            f"Python {'.'.join(map(str, python[:3]))}: is too old. Install ansible-core by Python {newer} or newer: "
            f"python{newer} -m pip install 'ansible-core>={core()}'."
        )
    if _numbers(version) < _numbers(core()):
        return f"ansible-core {version}: is too old. Install {core()} or newer: {sys.executable} -m pip install 'ansible-core>={core()}'."
    return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


if problem := refusal(__version__, sys.version_info[:3]):
    raise AnsibleError(problem)
