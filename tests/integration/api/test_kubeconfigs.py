# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For whom an API server takes us, by every kubeconfig: the one that it says, or nobody.

kubectl and the package `kubernetes` are asked the same, and where they do otherwise there is a reason.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.kubeconfigs import CASES
from ansible_collections.fediverse.mastodon.tests.integration.api.whoever import BODY, Answer, World, ours, user_of
from kubernetes import client as package_client
from kubernetes import config as package_config


def kubectl(world: World, kubeconfig: str, environment: Mapping[str, str]) -> Answer:
    command = [world.kubectl, "--request-timeout=10s", "auth", "whoami", "-o=json"]
    variables = {**environment, "KUBECONFIG": kubeconfig}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)
    return done.stderr or "?" if done.returncode else user_of(json.loads(done.stdout))


def package(kubeconfig: str) -> Answer:
    configuration = package_client.Configuration()
    configuration.retries = False
    try:
        package_config.load_kube_config(kubeconfig, client_configuration=configuration, persist_config=False)
        with package_client.ApiClient(configuration) as api:
            review = package_client.AuthenticationV1Api(api).create_self_subject_review(BODY, _request_timeout=10)
            return user_of(api.sanitize_for_serialization(review))
    except Exception as error:
        # It raises of whatever kind.
        return f"{type(error).__name__} {error}"


@pytest.fixture(scope="module")
def answers(world: World) -> dict[str, dict[str, Answer]]:
    """For whom the API server takes us, kubectl and the package, by every kubeconfig."""
    files = {name: world.kubeconfig(name, case) for name, case in CASES.items()}
    environments = {name: world.environment(case) for name, case in CASES.items()}
    with ThreadPoolExecutor(4) as pool:
        asked = {
            name: {
                "ours": pool.submit(ours, {}, {**environments[name], "KUBECONFIG": files[name]}),
                "kubectl": pool.submit(kubectl, world, files[name], environments[name]),
            }
            for name in CASES
        }
        # It knows no environment but that of this process.
        by_package = {name: package(files[name]) for name in CASES if not CASES[name].environment}
        found = {name: {judge: answer.result() for judge, answer in each.items()} for name, each in asked.items()}
    return {name: found[name] | ({"package": by_package[name]} if name in by_package else {}) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_a_kubeconfig_is_whom_it_says_or_refused_in_a_sentence(
    world: World, answers: dict[str, dict[str, Answer]], name: str
) -> None:
    case, answer = CASES[name], answers[name]["ours"]
    if case.who:
        assert isinstance(answer, dict), answer
        assert answer["username"] == world.of(case.who)
        return
    assert isinstance(answer, str)
    assert re.search(case.refusal, answer), answer
    assert answer.startswith(("Kubeconfig ", "API server ", "Whoever: ")), answer
    assert not any(word in answer for word in (world.words["token"], world.words["key"], "wrong@", "secret"))


@pytest.mark.parametrize("judge", ["kubectl", "package"])
@pytest.mark.parametrize("name", CASES)
def test_others_do_the_same_or_there_is_a_reason(answers: dict[str, dict[str, Answer]], name: str, judge: str) -> None:
    answer, theirs = answers[name]["ours"], answers[name].get(judge)
    if theirs is None:
        pytest.skip("it knows no environment but that of this process")
    same = theirs == answer if isinstance(theirs, dict) else isinstance(answer, str)
    reason = getattr(CASES[name], judge)
    assert same or reason, f"{judge}: {theirs}; we: {answer}"
    assert not (same and reason), f"{judge} does the same, so that there is nothing to explain: {reason}"


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60
