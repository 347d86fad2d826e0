# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing says ok while Mastodon is silent: what stopped behind a Ready release is named by all, and put right by a run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from ...conftest import Lab
from ..support import eventually, served
from ..zone import DOMAIN

WEB = ("deployment", "-n=mastodon", "mastodon-web")
IDLE = "Deployment mastodon/mastodon-web is scaled to zero replicas by hand"
OTHER_CLASS = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: other}
spec: {controllerName: example.org/gateway-controller}
"""


def test_a_mastodon_scaled_to_nothing_is_reported_by_all_and_put_right_by_one_run(installed: Lab) -> None:
    installed.kubectl("scale", *WEB, "--replicas=0")
    installed.kubectl(
        "wait", "pod", "-n=mastodon", "-l=app.kubernetes.io/component=web", "--for=delete", "--timeout=240s"
    )
    mark = installed.audit_mark()
    check = installed.site("--check")
    assert check.returncode == 0, check.output[-4000:]
    assert f"{IDLE} → asked Flux to put it right" in check.output
    assert f"check mode: Mastodon https://{DOMAIN}: does not answer as it must: {IDLE}" in check.output
    status = installed.playbook("status.yml")
    assert "Deployment mastodon/mastodon-web: NotAsDeclared, is scaled to zero replicas by hand" in status.output
    assert f"Mastodon https://{DOMAIN}: Silent, does not answer as it must" in status.output
    doctor = installed.playbook("doctor.yml")
    assert doctor.returncode != 0
    assert f"failed   Mastodon https://{DOMAIN}: does not answer as it must" in doctor.output
    assert installed.our_writes(mark) == []
    run = installed.site()
    assert run.returncode == 0, run.output[-4000:]
    assert served(installed, DOMAIN) == DOMAIN


def test_a_run_that_cannot_put_it_right_ends_badly(installed: Lab) -> None:
    gateway = ("deployment", "-n=traefik", "traefik")
    installed.kubectl("scale", *gateway, "--replicas=0")
    try:
        run = installed.site("--tags", "mastodon")
    finally:
        installed.kubectl("scale", *gateway, "--replicas=1")
        installed.kubectl("rollout", "status", *gateway, "--timeout=240s")
    assert run.returncode != 0
    assert f"Mastodon https://{DOMAIN}: does not answer as it must: " in run.output
    eventually(lambda: answers(installed), bool)


def answers(lab: Lab) -> bool:
    try:
        return served(lab, DOMAIN) == DOMAIN
    # It is not JSON as long as the gateway answers for nobody.
    except (OSError, ValueError):
        return False


def test_a_field_that_another_program_took_is_handed_back_as_the_message_says(installed: Lab) -> None:
    # As Lens writes: https://github.com/lensapp/lens/issues/8284
    patch = '{"spec":{"hostnames":["other.lab.test"]}}'
    installed.kubectl(
        "patch", "httproute", "-n=mastodon", "mastodon", "--field-manager=node-fetch", "--type=merge", f"-p={patch}"
    )
    refused = installed.site("--tags", "mastodon", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    assert refused.returncode != 0
    said = str(json.loads(re.findall(r"FAILED! => (\{.*\})$", refused.output, re.MULTILINE)[-1])["msg"])
    assert 'HTTPRoute mastodon/mastodon: is not applied: spec.hostnames is owned by "node-fetch". ' in said
    remedy = shlex.split(said.partition("take it over once with ")[2].rstrip("."))
    run = installed.site("--tags", "mastodon", *remedy)
    assert run.returncode == 0, run.output[-4000:]
    assert installed.site("--tags", "mastodon", "--check").recap["changed"] == 0


def test_a_gateway_in_use_does_not_change_to_a_class_that_nobody_has_or_without_a_controller(
    installed: Lab, tmp_path: Path
) -> None:
    installed.kubectl("apply", "--filename=-", given=OTHER_CLASS)
    hosts = {"nobodys": {"gateway_class": "nginx"}, "of_no_controller": {"gateway_class": "other"}}
    try:
        mark = installed.audit_mark()
        run = installed.site_of_many(tmp_path, hosts, "--tags", "gateway")
        assert installed.our_writes(mark) == []
    finally:
        installed.kubectl("delete", "gatewayclass", "other")
    assert "GatewayClass nginx: does not exist: there are: other, traefik." in run.refusal_of("nobodys")
    assert "GatewayClass other: is not ready: " in run.refusal_of("of_no_controller")
    assert served(installed, DOMAIN) == DOMAIN
