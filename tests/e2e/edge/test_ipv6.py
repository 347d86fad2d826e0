# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods have an address of each family, and NetworkPolicies hold for both."""

from __future__ import annotations

import socket

import pytest

from ...conftest import Lab

# Nothing listens there: who is let in is refused by the pod itself.
CLOSED = 1


def addresses(lab: Lab, namespace: str) -> list[str]:
    """Return those of the one pod of a namespace."""
    (pod,) = lab.get("pods", f"-n={namespace}")["items"]
    return [one["ip"] for one in pod["status"]["podIPs"]]


def test_who_is_let_in_comes_by_both(both: Lab) -> None:
    found = addresses(both, "traefik")
    assert [":" in one for one in found] == [False, True]
    for address in found:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, CLOSED), 5)


def test_who_is_not_let_in_comes_by_neither(both: Lab) -> None:
    found = addresses(both, "local-path-storage")
    assert len(found) == 2
    for address in found:
        with pytest.raises(TimeoutError):
            socket.create_connection((address, CLOSED), 3)
