# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task as a playbook meets it: templates of a role, files, connections, and what is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.fediverse.mastodon.tests.integration.api.servers import Tunnel
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.plays import run_play

TEMPLATE = """\
{% for name in names %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ name }}, namespace: {{ place }}}
data: {text: {{ text | to_json }}, included: "{% include 'part.j2' %}"}
{% endfor %}
---
# An empty document, as conditions in templates leave them.
"""

Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def play(cluster: Cluster, tmp_path: Path) -> Play:
    """Return a way to run one `apply` task in a role that has a template and a manifest."""
    role = tmp_path / "roles/settings"
    for folder in ("tasks", "templates", "files"):
        (role / folder).mkdir(parents=True)
    (role / "templates/settings.yaml.j2").write_text(TEMPLATE)
    (role / "templates/part.j2").write_text("{{ text | length }}")
    (role / "templates/broken.yaml.j2").write_text("{{ not_defined.anywhere }}")
    (role / "templates/wrong.yaml.j2").write_text("a: [")
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "file", "namespace": cluster.namespace}}
    (role / "files/manifest.yaml").write_text(json.dumps({**manifest, "data": {"a": "{{ not a template }}"}}))

    def run(*arguments: str, options: dict[str, Any], **keywords: Any) -> subprocess.CompletedProcess[str]:
        task = {"name": "test", "namespace": cluster.namespace, "kubeconfig": cluster.kubeconfig, **options}
        (role / "tasks/main.yml").write_text(json.dumps([{"fediverse.mastodon.apply": task}]))
        variables = {"names": ["one", "two"], "place": cluster.namespace, "text": "{{ '{{' }} not a template"}
        return run_play(tmp_path, {"roles": ["settings"], "vars": variables} | keywords, *arguments)

    return run


BOTH = {"templates": ["settings.yaml.j2"], "manifests": [{"path": "manifest.yaml"}]}


def test_templates_are_rendered_and_files_are_not(cluster: Cluster, play: Play) -> None:
    done = play(options=BOTH)
    assert done.returncode == 0, done.stdout
    for name in ("one", "two", "file"):
        assert f"created ConfigMap {cluster.namespace}/{name}" in done.stdout
    assert cluster.get(cluster.path("configmaps", "one"))["data"] == {"text": "{{ not a template", "included": "17"}
    assert cluster.get(cluster.path("configmaps", "file"))["data"] == {"a": "{{ not a template }}"}
    assert "changed=0" in play(options=BOTH).stdout


def test_check_and_diff_show_the_plan(cluster: Cluster, play: Play) -> None:
    done = play("--check", "--diff", options=BOTH)
    assert done.returncode == 0
    assert f"+++ after: ConfigMap {cluster.namespace}/one" in done.stdout
    assert "changed=1" in done.stdout
    assert f"created ConfigMap {cluster.namespace}/one" in play(options=BOTH).stdout


def test_as_a_module_it_does_the_same(cluster: Cluster, play: Play) -> None:
    # Becoming root needs a process of its own, so this is the way that other connections take.
    module = {"become": True, "become_method": "su"}
    interpreter = f"ansible_python_interpreter={sys.executable}"
    done = play("-e", interpreter, options=BOTH, **module)
    assert done.returncode == 0, done.stdout
    assert f"created ConfigMap {cluster.namespace}/one" in done.stdout
    assert "changed=0" in play("-e", interpreter, options=BOTH, **module).stdout
    wrong = play("-e", interpreter, options={**BOTH, "kubeconfig": "/nonexistent"}, **module)
    assert "Kubeconfig /nonexistent: does not exist" in wrong.stdout


def test_the_environment_of_the_task_names_the_cluster(cluster: Cluster, play: Play) -> None:
    done = play(options={**BOTH, "kubeconfig": ""}, environment={"K8S_AUTH_KUBECONFIG": cluster.kubeconfig})
    assert done.returncode == 0, done.stdout


def test_the_proxy_of_the_task_s_environment_is_the_way(cluster: Cluster, play: Play) -> None:
    lost = play(options=BOTH, environment={"HTTPS_PROXY": "http://127.0.0.1:1"})
    assert lost.returncode != 0
    assert "cannot be reached: Connection refused" in " ".join(lost.stdout.split())
    proxy = Tunnel()
    done = play(options=BOTH, environment={"https_proxy": f"http://{proxy.address}", "no_proxy": ""})
    assert done.returncode == 0, done.stdout
    assert proxy.opened > 0
    proxy.close()


def test_the_proxy_of_the_task_s_environment_is_the_way_to_a_manifest(play: Play) -> None:
    wanted = {"manifests": [{"url": "http://manifests.example.org/all.yaml"}]}
    lost = play(options=wanted, environment={"HTTP_PROXY": "http://127.0.0.1:1"})
    assert "all.yaml: cannot be fetched: [Errno 111] Connection refused" in " ".join(lost.stdout.split())


@pytest.mark.parametrize("module", [{}, {"become": True, "become_method": "su"}])
def test_a_kubeconfig_given_as_content_is_used_and_shown_nowhere(
    cluster: Cluster, play: Play, module: dict[str, Any]
) -> None:
    text = Path(cluster.kubeconfig).read_text()
    content = yaml.safe_load(text)
    secret = content["users"][0]["user"]["client-key-data"]
    interpreter = f"ansible_python_interpreter={sys.executable}"
    for given in (content, text):
        done = play("-e", interpreter, "-vvv", options={**BOTH, "kubeconfig": given}, **module)
        assert done.returncode == 0, done.stdout
        assert secret not in done.stdout + done.stderr
    wrong = {**content, "current-context": "lost"}
    refused = play("-e", interpreter, "-vvv", options={**BOTH, "kubeconfig": wrong}, **module)
    assert "Option kubeconfig: cannot be used: it has no context lost" in " ".join(refused.stdout.split())
    assert secret not in refused.stdout + refused.stderr


@pytest.mark.parametrize("module", [{}, {"become": True, "become_method": "su"}])
def test_what_a_secret_holds_is_shown_nowhere(cluster: Cluster, play: Play, module: dict[str, Any]) -> None:
    values = [f"{letter}-canary" for letter in "abc"]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mine", "namespace": cluster.namespace}}
    settings = {**secret, "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": cluster.namespace}}
    interpreter = f"ansible_python_interpreter={sys.executable}"
    for value, refused in zip(values, (False, False, True), strict=True):
        data = {"password": value, **({"wrong": [value]} if refused else {})}
        objects = [{**secret, "stringData": data}, {**settings, "data": {"password": value}}]
        done = play("-e", interpreter, "-vvv", "--diff", options={"objects": objects}, **module)
        assert (done.returncode != 0) is refused, done.stdout
        assert "Secret " in done.stdout
        assert not any(one in done.stdout + done.stderr for one in values)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such template": ({"templates": ["lost.yaml.j2"]}, "File lost.yaml.j2: was not found"),
    "undefined variable": ({"templates": ["broken.yaml.j2"]}, "Template broken.yaml.j2: cannot be rendered"),
    "no YAML": ({"templates": ["wrong.yaml.j2"]}, "Template wrong.yaml.j2: is not valid YAML: line 2"),
    "no such file": ({"manifests": [{"path": "lost.yaml"}]}, "File lost.yaml: was not found"),
    "wrong checksum": (
        {"manifests": [{"path": "manifest.yaml", "checksum": "0"}]},
        "manifest.yaml: is not the expected file",
    ),
    "neither url nor path": ({"manifests": [{}]}, "one of the following is required: url, path"),
    "unknown option": ({"templtes": []}, "Unsupported parameters"),
    "no object": ({"objects": [{"kind": "X"}]}, "Document 1 of the set (X): has no apiVersion."),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_one_sentence(play: Play, mistake: str) -> None:
    options, sentence = WRONG[mistake]
    done = play(options=options)
    assert done.returncode != 0
    assert sentence in " ".join(done.stdout.split()) + " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
