# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For whom an API server takes a task, by its options and variables, and what it may do as whom it is."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import sources
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Resource
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import ready_pod
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec import run as run_in_pod
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.service_account import service_account
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import apply as apply_task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import delete, objects_info
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.integration.api.kubeconfigs import (
    CERTIFICATE,
    DEV,
    DEVELOPER,
    USUAL,
    context,
)
from ansible_collections.fediverse.mastodon.tests.integration.api.servers import LOGIN
from ansible_collections.fediverse.mastodon.tests.integration.api.whoever import Answer, World, ours


@dataclass(frozen=True)
class Asked:
    """Options and variables of a task, and for whom the API server takes it, or a part of the sentence that refuses them."""

    who: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""


HOST, FILES = (
    {"kubernetes_host": "{server}"},
    {"KEY_FILE": "{folder}/client-key.pem", "CERT_FILE": "{folder}/client.pem"},
)
TRUSTED = {"HOST": "{server}", "SSL_CA_CERT": "{folder}/ca.pem"}
CONTENT = {"current-context": "x", "contexts": [context()], "clusters": [USUAL], "users": [DEV]}
ELSEWHERE = "somebody elsewhere"
ASKED = {
    "a file": Asked(DEVELOPER, {"kubeconfig": "{kubeconfig}"}),
    "files": Asked(DEVELOPER, {"kubeconfig": ["/nonexistent", "{kubeconfig}"]}),
    "content": Asked(DEVELOPER, {"kubeconfig": CONTENT}),
    "content with a wrong key": Asked(
        options={
            "kubeconfig": {
                **CONTENT,
                "users": [{"name": "u", "user": {**CERTIFICATE, "client-key-data": "{wrong_key}"}}],
            }
        },
        refusal="Option kubeconfig: its certificates cannot be used",
    ),
    "a file of the environment": Asked(DEVELOPER, variables={"KUBECONFIG": "{kubeconfig}"}),
    "another context": Asked(ELSEWHERE, {"kubeconfig": "{kubeconfig}", "context": "elsewhere"}),
    "another context of the environment": Asked(
        ELSEWHERE, variables={"KUBECONFIG": "{kubeconfig}", "CONTEXT": "elsewhere"}
    ),
    "a token": Asked(DEVELOPER, variables={**TRUSTED, "API_KEY": "{token}"}),
    "a token beside a file of others": Asked(
        DEVELOPER, variables={**TRUSTED, "KUBECONFIG": "{elsewhere}", "API_KEY": "{token}"}
    ),
    "a certificate": Asked("lab-admin", variables={**TRUSTED, **FILES}),
    "a certificate in place of the file's token": Asked(
        "lab-admin", {"kubeconfig": "{kubeconfig}"}, {"CERT_FILE": FILES["CERT_FILE"], "KEY_FILE": FILES["KEY_FILE"]}
    ),
    "a token in place of the file's certificate": Asked(
        DEVELOPER, {"kubeconfig": "{admin}", "kubernetes_api_key": "{token}"}
    ),
    "a password": Asked(variables={**TRUSTED, "USERNAME": "a", "PASSWORD": "b"}, refusal="403|401"),
    "not verified": Asked(DEVELOPER, variables={"HOST": "{server}", "VERIFY_SSL": "false", "API_KEY": "{token}"}),
    "verified": Asked(variables={"HOST": "{server}", "API_KEY": "{token}"}, refusal="TLS failed"),
    "a name in the certificate": Asked(
        variables={**TRUSTED, "API_KEY": "{token}", "TLS_SERVER_NAME": "example.org"}, refusal="TLS failed"
    ),
    "a proxy": Asked(DEVELOPER, {"kubeconfig": "{kubeconfig}", "kubernetes_proxy": "{proxy}"}),
    "a proxy of the environment": Asked(DEVELOPER, {"kubeconfig": "{kubeconfig}"}, {"PROXY": "{proxy_with_login}"}),
    "a proxy whose login is given": Asked(
        DEVELOPER,
        {"kubeconfig": "{kubeconfig}"},
        {"PROXY": "{guarded}", "PROXY_HEADERS_PROXY_BASIC_AUTH": LOGIN},
    ),
    "a proxy without its login": Asked(
        options={"kubeconfig": "{kubeconfig}"}, variables={"PROXY": "{guarded}"}, refusal="407"
    ),
    "a proxy that is not there": Asked(
        options={"kubeconfig": "{kubeconfig}"}, variables={"PROXY": "http://127.0.0.1:1"}, refusal="cannot be reached"
    ),
    "a proxy that is not for this server": Asked(
        DEVELOPER, {"kubeconfig": "{kubeconfig}"}, {"PROXY": "http://127.0.0.1:1", "NO_PROXY": "10.0.0.0/8"}
    ),
    "somebody else": Asked(
        "reader", {"kubeconfig": "{admin}"}, {"IMPERSONATE_USER": "reader", "IMPERSONATE_GROUPS": "a,b"}
    ),
    "somebody else without the right": Asked(
        options={"kubeconfig": "{kubeconfig}", "kubernetes_impersonate_user": "reader"}, refusal="403"
    ),
    "another host than the task's": Asked(
        options={"kubeconfig": "{kubeconfig}"}, variables={"HOST": "{other}"}, refusal="contradicts the task"
    ),
    "a variable of another program": Asked(
        options={"kubeconfig": "{kubeconfig}"},
        variables={"TOKEN": "{token}"},
        refusal="Variable K8S_AUTH_TOKEN: is not known",
    ),
}


def asked(world: World, one: Asked) -> Answer:
    environment = {"PATH": os.environ["PATH"], "HOME": str(world.folder / "home")}
    return ours(
        world.of(one.options),
        {**environment, **{f"K8S_AUTH_{name}": world.of(one.variables[name]) for name in one.variables}},
    )


@pytest.mark.parametrize("name", ASKED)
def test_options_and_variables_are_done_or_refused(world: World, name: str) -> None:
    answer = asked(world, ASKED[name])
    if ASKED[name].who:
        assert isinstance(answer, dict), answer
        assert answer["username"] == world.of(ASKED[name].who)
    else:
        assert isinstance(answer, str), answer
        assert re.search(ASKED[name].refusal, answer), answer
        assert not any(world.words[word] in answer for word in ("token", "wrong_key"))


def test_a_proxy_that_is_asked_for_is_the_way(world: World) -> None:
    before = world.tunnel.opened
    for name in ("a proxy", "a file"):
        asked(world, ASKED[name])
    assert world.tunnel.opened == before + 1


def test_in_a_pod_its_account_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    files = world.folder / "account"
    files.mkdir()
    for name, origin in (("ca.crt", "ca.pem"), ("token", "token")):
        (files / name).write_text((world.folder / origin).read_text())
    monkeypatch.setattr(sources, "service_account", partial(service_account, files=files))
    host, _unused, port = world.words["address"].rpartition(":")
    pod = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port, "HOME": "/nonexistent"}
    answer = ours({}, pod)
    assert isinstance(answer, dict), answer
    assert answer["username"] == world.of(DEVELOPER)


def test_rights_in_one_namespace_are_enough_there_and_nowhere_else(world: World) -> None:
    place = world.words["namespace"]

    def run(task: Task, **options: Any) -> dict[str, Any]:
        defaults = {name: spec.get("default") for name, spec in task.arguments.options.items()}
        run = Run(check=False, diff=False, say=lambda line: None, environment={})
        return task.engine({**defaults, "kubeconfig": world.words["kubeconfig"], **options}, run)

    def apply(namespace: str) -> dict[str, Any]:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": namespace}}
        return run(apply_task.TASK, name="test", namespace=namespace, objects=[body], wait_timeout=10)

    named = [{"kind": "ConfigMap", "namespace": place, "name": "a"}]
    assert apply(place)["changed"] is True
    assert len(run(objects_info.TASK, objects=named)["objects"]) == 1
    assert run(delete.TASK, objects=named)["changed"] is True
    refused = rf"is not permitted \(403\): .*{world.of(DEVELOPER)}"
    assert re.search(refused, apply("default")["msg"])
    with pytest.raises(MastodonError, match=refused):
        run(objects_info.TASK, objects=[{"kind": "Secret"}])


def test_a_command_in_a_pod_is_run_as_whom_is_asked_for(world: World) -> None:
    admin = {"kubeconfig": world.words["admin"]}
    pod = ready_pod(connect(admin, {}), "kube-system", {"app": "coredns"})
    assert run_in_pod(connect(admin, {}), "kube-system", pod, "coredns", ["/coredns", "-version"]).code == 0
    reader = connect({**admin, "kubernetes_impersonate_user": "reader"}, {})
    with pytest.raises(MastodonError, match=r"cannot be run in it: .* is forbidden: User"):
        run_in_pod(reader, "kube-system", pod, "coredns", ["/coredns", "-version"])
    proxied = connect({**admin, "kubernetes_proxy": world.words["proxy"]}, {})
    before = world.tunnel.opened
    assert run_in_pod(proxied, "kube-system", pod, "coredns", ["/coredns", "-version"]).code == 0
    assert world.tunnel.opened == before + 1


RBAC = "rbac.authorization.k8s.io"
ROLE = Resource(RBAC, "v1", "Role", "roles", namespaced=True)
BINDING = Resource(RBAC, "v1", "RoleBinding", "rolebindings", namespaced=True)
ROOT = Path(__file__).parents[3]


def test_a_command_needs_the_rights_that_the_doctor_asks_for_and_no_less(world: World) -> None:
    rights = yaml.safe_load((ROOT / "roles/doctor/vars/main/rights.yml").read_text())
    entries = [entry for entries in rights.values() if isinstance(entries, list) for entry in entries]
    [needed] = [entry["verbs"] for entry in entries if isinstance(entry, dict) and "pods/exec" in entry["resources"]]
    admin = connect({"kubeconfig": world.words["admin"]}, {})
    executor = connect({"kubeconfig": world.words["admin"], "kubernetes_impersonate_user": "executor"}, {})
    pod, metadata = (
        ready_pod(admin, "kube-system", {"app": "coredns"}),
        {"name": "executor", "namespace": "kube-system"},
    )
    api = partial(Objects(Client(admin)).apply, manager="test", force=True, dry_run=False)
    api(
        BINDING,
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "executor"},
            "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "executor"}],
        },
    )

    def may(verbs: list[str]) -> bool:
        rule = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": verbs}
        api(ROLE, {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]})
        # What is given, or taken, takes the API server a moment.
        time.sleep(1)
        try:
            return run_in_pod(executor, "kube-system", pod, "coredns", ["/coredns", "-version"]).code == 0
        except MastodonError as error:
            return "pods/exec" not in str(error)

    assert may(needed)
    assert [verb for verb in needed if may([verb])] == []
