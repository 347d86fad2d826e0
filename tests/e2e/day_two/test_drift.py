# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody changed behind our back: check mode names all of it and nothing else, and a run takes back what it may."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from ...conftest import Lab, Run
from ..bucket import PROBE, address, forget_policy, secret
from ..support import eventually, external_dns_standing_still, served
from ..zone import DOMAIN, EXTERNAL_DNS, HAND_MADE, Zone

ROUTE = ("httproute", "-n=mastodon", "mastodon")
CERT_MANAGER = ("helmrelease", "-n=cert-manager", "cert-manager")
SERVICE = ("service", "-n=mastodon", "mastodon-web")
WEB = ("deployment", "-n=mastodon", "mastodon-web")
POLICY = f"mastodon-{DOMAIN}"
OTHERS = "others.lab.test"
SUSPENDED = "HelmRelease external-dns/external-dns-mastodon: is suspended, so Flux does not act on it"


@dataclass(frozen=True)
class State:
    """What may drift and is not named by a run, as it was at a time."""

    rules: str
    keys: Mapping[str, str]
    record: list[str]
    others: list[str]
    cert_manager: Mapping[str, Any]
    external_dns: Mapping[str, Any]
    media: int


@dataclass(frozen=True)
class Drift:
    """What was there before, what a run in check mode said and left, and what a run said and left."""

    before: State
    drifted: State
    check: Run
    writes: list[str]
    after_check: State
    run: Run
    after: State


def state(lab: Lab, zone: Zone) -> State:
    app = lab.get("secret", "-n=mastodon", "mastodon-app", "--ignore-not-found")
    return State(
        rules=str(lab.vault().sys.read_policy(POLICY)["data"]["rules"]),
        keys=app.get("data", {}),
        record=zone.texts(DOMAIN, "A"),
        others=zone.texts(OTHERS, "A"),
        cert_manager=lab.get(*CERT_MANAGER)["spec"]["values"],
        external_dns=lab.get(*EXTERNAL_DNS)["spec"]["values"],
        media=requests.get(f"{address(lab)}/{PROBE}", timeout=10).status_code,
    )


def change(lab: Lab, zone: Zone) -> None:
    """Change what check mode can name."""
    zone.replace(DOMAIN, HAND_MADE)
    zone.replace(OTHERS, HAND_MADE)
    lab.kubectl("patch", *ROUTE, "--type=merge", '--patch={"spec":{"hostnames":["other.lab.test"]}}')
    lab.kubectl("patch", *CERT_MANAGER, "--type=merge", '--patch={"spec":{"values":{"crds":{"keep":false}}}}')
    # With it external-dns deletes records that no route asks for any more.
    lab.kubectl("patch", *EXTERNAL_DNS, "--type=merge", '--patch={"spec":{"values":{"policy":"sync"}}}')
    lab.vault().sys.create_or_update_policy(POLICY, 'path "secret/*" {\n  capabilities = ["read", "sudo"]\n}\n')
    forget_policy(lab)


def take_away(lab: Lab) -> None:
    """Take away what Mastodon runs with."""
    lab.kubectl("patch", *SERVICE, '--patch={"spec":{"selector":{"nobody":"here"}}}')
    lab.kubectl("delete", *WEB, "--wait=true")
    lab.kubectl("delete", "secret", "-n=mastodon", "mastodon-app")


@pytest.fixture(scope="module")
def drift(installed: Lab) -> Drift:
    """Let everything drift at once, run in check mode, take more away, and run."""
    zone = Zone(installed)
    before = state(installed, zone)
    with external_dns_standing_still(installed):
        change(installed, zone)
        drifted, mark, vault = state(installed, zone), installed.audit_mark(), installed.vault_versions()
        check = installed.site("--check", "--diff")
        writes = installed.our_writes(mark)
        assert installed.vault_versions() == vault
        after_check = state(installed, zone)
    take_away(installed)
    run = installed.site()
    return Drift(before, drifted, check, writes, after_check, run, state(installed, zone))


def named(output: str) -> list[str]:
    """Return what a run says that it changes, in its order and without the changes."""
    return [line.split(":")[0] for line in re.findall(r"^(?:created|configured|deleted) .*", output, re.MULTILINE)]


def test_check_mode_names_all_that_somebody_changed_and_nothing_else(drift: Drift) -> None:
    assert drift.check.returncode == 0, drift.check.output[-4000:]
    # As site.yml comes to them.
    assert named(drift.check.output) == [
        f"configured Vault policy {POLICY}",
        "configured HelmRelease cert-manager/cert-manager",
        "configured HelmRelease external-dns/external-dns-mastodon",
        "created policy of bucket mastodon",
        "configured HTTPRoute mastodon/mastodon",
        f"configured DNS record {DOMAIN}",
    ]
    assert re.findall(r"^check mode: (.*); ", drift.check.output, re.MULTILINE) == [SUSPENDED]


def test_check_mode_shows_each_change(drift: Drift, installed: Lab) -> None:
    for shown in (
        "-  - other.lab.test",
        '-  capabilities = ["read", "sudo"]',
        "configured HelmRelease cert-manager/cert-manager: spec.values.crds.keep",
        'configured HelmRelease external-dns/external-dns-mastodon: spec.values.policy "sync" → "upsert-only"',
        f"configured DNS record {DOMAIN}: {HAND_MADE} → {installed.facts['gateway_address']}",
    ):
        assert shown in drift.check.output


def test_check_mode_leaves_it_as_it_is(drift: Drift) -> None:
    assert drift.writes == []
    assert drift.after_check == drift.drifted
    assert (drift.drifted.record, drift.drifted.media) == ([HAND_MADE], 403)
    assert drift.drifted.rules != drift.before.rules


def test_one_run_takes_all_of_it_back_and_says_so(drift: Drift) -> None:
    assert drift.run.returncode == 0, drift.run.output[-4000:]
    for reported in (
        "configured HTTPRoute mastodon/mastodon: spec.hostnames",
        "configured HelmRelease cert-manager/cert-manager: spec.values.crds.keep",
        'configured HelmRelease external-dns/external-dns-mastodon: spec.values.policy "sync" → "upsert-only"',
        f"configured Vault policy {POLICY}",
        "created policy of bucket mastodon",
    ):
        assert reported in drift.run.output
    assert drift.after.rules == drift.before.rules
    assert drift.after.cert_manager == drift.before.cert_manager != drift.drifted.cert_manager
    assert drift.after.external_dns == drift.before.external_dns != drift.drifted.external_dns
    assert drift.after.record == drift.before.record != [HAND_MADE]
    assert drift.after.media == 200


def test_a_record_of_others_is_left_alone(drift: Drift) -> None:
    assert drift.after.others == [HAND_MADE]
    assert OTHERS not in drift.check.output + drift.run.output


def test_no_key_of_the_bucket_is_shown_with_its_policy(drift: Drift, installed: Lab) -> None:
    assert secret(installed, "mastodon-s3")["AWS_SECRET_ACCESS_KEY"] not in drift.check.output + drift.run.output


@pytest.mark.parametrize(
    "reported",
    ["Deployment mastodon/mastodon-web is missing", "Service mastodon/mastodon-web was changed by kubectl-patch"],
)
def test_what_the_release_lost_or_leads_to_nobody_is_put_right_by_flux(drift: Drift, reported: str) -> None:
    assert re.search(f"{reported}.* → asked Flux to put it right", drift.run.output)


def test_mastodon_runs_and_answers_after_it(drift: Drift, installed: Lab) -> None:
    assert drift.run.returncode == 0
    assert installed.get(*WEB)["status"]["availableReplicas"] == 1
    assert "nobody" not in installed.get(*SERVICE)["spec"]["selector"]
    assert served(installed, DOMAIN) == DOMAIN


def test_a_deleted_secret_is_restored_from_vault_by_its_controller(drift: Drift, installed: Lab) -> None:
    assert drift.before.keys
    eventually(
        lambda: installed.get("secret", "-n=mastodon", "mastodon-app", "--ignore-not-found").get("data"),
        lambda data: data == drift.before.keys,
    )


def test_the_next_run_changes_nothing(drift: Drift, installed: Lab) -> None:
    assert drift.run.returncode == 0
    run = installed.site("--diff")
    assert run.recap["changed"] == 0, run.output[-4000:]
