# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mastodon is uninstalled when its domain is typed, keeps all that it has, and comes back as it was."""

from __future__ import annotations

import json
import re

import pytest

from ...conftest import Lab
from ..support import connected, served
from ..zone import DOMAIN

NAMESPACE = "mastodon"


def kept(lab: Lab) -> dict[str, str]:
    """Return what must stay, with what says that it is the same and no other."""
    found = lab.get(
        "clusters.postgresql.cnpg.io,dragonflies,pvc,externalsecrets,httproutes,certificates,namespaces", "-A"
    )
    own = {
        f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}": item["metadata"]["uid"]
        for item in found["items"]
    }
    return {**own, **{f"vault {path}": version for path, version in lab.vault_versions().items()}}


def pods(lab: Lab) -> list[str]:
    labels = "app.kubernetes.io/name=mastodon"
    return [item["metadata"]["name"] for item in lab.get("pods", "-n", NAMESPACE, "-l", labels)["items"]]


def status_of_inbox(lab: Lab) -> int:
    """Return what a server gets that delivers a post."""
    with connected(lab, DOMAIN) as connection:
        connection.request("POST", "/inbox", json.dumps({"type": "Follow"}))
        return connection.getresponse().status


@pytest.fixture(scope="module")
def before(installed: Lab) -> dict[str, str]:
    return kept(installed)


def test_nothing_goes_as_long_as_the_domain_is_not_typed(installed: Lab, before: dict[str, str]) -> None:
    for given in ((), ("-e", "uninstall=other.example")):
        run = installed.playbook("uninstall.yml", *given)
        assert run.returncode != 0
        assert f"Add -e uninstall={DOMAIN} if this one is to go." in " ".join(run.output.split())
    assert served(installed, DOMAIN) == DOMAIN
    assert kept(installed) == before


def test_check_mode_names_what_would_go(installed: Lab, before: dict[str, str]) -> None:
    run = installed.playbook("uninstall.yml", "-e", f"uninstall={DOMAIN}", "--check")
    assert run.returncode == 0, run.output[-4000:]
    assert f"deleted HelmRelease {NAMESPACE}/mastodon" in run.output
    assert served(installed, DOMAIN) == DOMAIN


def test_of_a_suspended_release_nothing_goes(installed: Lab, before: dict[str, str]) -> None:
    def suspend(value: bool) -> None:
        patch = json.dumps({"spec": {"suspend": value}})
        installed.kubectl("patch", "helmrelease", "-n", NAMESPACE, "mastodon", "--type=merge", "-p", patch)

    suspend(True)
    try:
        run = installed.playbook("uninstall.yml", "-e", f"uninstall={DOMAIN}")
    finally:
        suspend(False)
    assert run.returncode != 0
    assert "is suspended, so that Flux would leave its pods. Resume it by spec.suspend: false." in " ".join(
        run.output.split()
    )
    assert served(installed, DOMAIN) == DOMAIN
    assert kept(installed) == before


def test_its_pods_go_and_all_that_it_has_stays(installed: Lab, before: dict[str, str]) -> None:
    # Also by a newer collection, whose release could not follow this one.
    run = installed.playbook("uninstall.yml", "-e", f"uninstall={DOMAIN}", "-e", "mastodon_image_tag=v4.9.0")
    assert run.returncode == 0, run.output[-4000:]
    assert installed.get("helmrelease", "-n", NAMESPACE)["items"] == []
    assert pods(installed) == []
    assert kept(installed) == before
    assert re.search(rf"Cluster {NAMESPACE}/mastodon-db: Current", run.output), run.output[-4000:]
    # Of which other servers try again: an answer below 500 would let them drop what they deliver.
    assert status_of_inbox(installed) >= 500
    again = installed.playbook("uninstall.yml", "-e", f"uninstall={DOMAIN}")
    assert (again.returncode, again.recap["changed"]) == (0, 0), again.output[-4000:]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("mastodon_image_tag=v4.9.0", "cannot go from"),
        ("mastodon_image_tag=v4.2.0", "cannot go back from"),
    ],
)
def test_what_may_follow_is_remembered(installed: Lab, given: str, sentence: str) -> None:
    run = installed.site("-e", given)
    assert run.returncode != 0
    assert sentence in run.output


def test_site_installs_the_same_mastodon_again(installed: Lab, before: dict[str, str]) -> None:
    run = installed.site()
    assert run.returncode == 0, run.output[-4000:]
    assert served(installed, DOMAIN) == DOMAIN
    assert kept(installed) == before
    assert installed.get("configmap", "-n", NAMESPACE, "--ignore-not-found", "mastodon-uninstalled") == {}
    assert installed.site().recap["changed"] == 0
