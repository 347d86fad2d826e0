# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's chart with the values and patches of role mastodon: what Helm and Kustomize make of them, as Flux does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from mastodon_lab.build import components, tools
from mastodon_lab.build.golang import Go
from mastodon_lab.build.store import Store
from mastodon_lab.cli import CACHE

from ..roles.conftest import ROOT, Site

CHART = ROOT / "lab/stand_ins/mastodon/chart"
Render = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Render the release that the role applies with some settings."""
    folder = tmp_path_factory.mktemp("chart")
    store = Store(Path(os.environ.get("LAB_CACHE") or CACHE))
    with store.locked(print):
        installed = tools.install(store, folder / "go.log")
        helm = Go(installed.go, store, folder / "go.log").build(components.HELM)["helm"]

    @cache
    def rendered(*, patched: bool = True, ipv6: bool = False, **settings: Any) -> list[dict[str, Any]]:
        launch = {"mastodon_launch": {"annotations": {}, "ipv6": True}} if ipv6 else {}
        spec = Site(**launch, **settings).objects("mastodon")["HelmRelease mastodon"]["spec"]
        (folder / "values.json").write_text(json.dumps(spec["values"]))
        made = run(helm, "template", "mastodon", CHART, "--values", folder / "values.json", "--namespace=mastodon")
        (folder / "chart.yaml").write_text(made)
        [renderer] = spec["postRenderers"] if patched and "postRenderers" in spec else [{"kustomize": {}}]
        kustomization = {"resources": ["chart.yaml"], **renderer["kustomize"]}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return [item for item in yaml.safe_load_all(run(installed.kubectl, "kustomize", folder)) if item]

    return rendered


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def containers(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the name of each container of a workload, with its pod's specification and itself."""
    for item in objects:
        if item["kind"] in ("Deployment", "Job"):
            pod = item["spec"]["template"]["spec"]
            for container in pod["containers"]:
                yield f"{item['metadata']['name']}/{container['name']}", pod, container


def environment(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in container.get("env", [])}


@pytest.mark.parametrize("monitoring", [False, True])
def test_every_container_is_as_podsecurity_restricted_wants_it(render: Render, monitoring: bool) -> None:
    found = {name: container for name, _pod, container in containers(render(mastodon_monitoring=monitoring))}
    jobs = {"mastodon-db-prepare", "mastodon-db-pre-migrate", "mastodon-db-migrate"}
    assert jobs <= {name.partition("/")[0] for name in found}
    assert ("mastodon-web/prometheus-exporter" in found) is monitoring
    wanted = Site().value("common_security_context")
    assert {name for name, one in found.items() if one.get("securityContext") != wanted} == set()


def test_the_chart_itself_gives_its_exporter_no_context(render: Render) -> None:
    # As upstream's does not, so that what mends it is seen to be needed.
    objects = render(mastodon_monitoring=True, patched=False)
    found = {name: container for name, _pod, container in containers(objects)}
    assert "securityContext" not in found["mastodon-web/prometheus-exporter"]


def test_metrics_can_be_asked_for_by_the_port_that_the_monitor_names(render: Render) -> None:
    found = {name: container for name, _pod, container in containers(render(mastodon_monitoring=True))}
    for name in ("mastodon-web/prometheus-exporter", "mastodon-sidekiq-all-queues/mastodon"):
        assert {"name": "prometheus", "containerPort": 9394} in found[name]["ports"]
    pods = [pod for name, pod, _container in containers(render(mastodon_monitoring=True)) if "/mastodon-web" in name]
    # Commands without a container's name go to the first.
    assert [container["name"] for container in pods[0]["containers"]] == ["mastodon-web", "prometheus-exporter"]


def test_metrics_are_served_at_both_families_where_services_have_both(render: Render) -> None:
    for ipv6 in (False, True):
        objects = render(mastodon_monitoring=True, ipv6=ipv6)
        found = {name: container for name, _pod, container in containers(objects)}
        exporter = found["mastodon-web/prometheus-exporter"]
        sidekiq = environment(found["mastodon-sidekiq-all-queues/mastodon"])["MASTODON_PROMETHEUS_EXPORTER_HOST"]
        assert (exporter["args"] == ["--bind", "ANY", "--port", "9394"], sidekiq["value"] == "ANY") == (ipv6, ipv6)
        assert exporter["securityContext"]


@pytest.mark.parametrize("login", [True, False])
def test_who_sends_mail_has_a_login_only_where_there_is_one(render: Render, login: bool) -> None:
    found = {name: one for name, _pod, one in containers(render(mastodon_smtp_login=login))}
    given = environment(found["mastodon-sidekiq-all-queues/mastodon"])
    assert {"SMTP_LOGIN", "SMTP_PASSWORD"} & set(given) == ({"SMTP_LOGIN", "SMTP_PASSWORD"} if login else set())
    assert {"DB_PASS", "AWS_ACCESS_KEY_ID"} <= set(given)
    assert [name for name, one in found.items() if "sidekiq" not in name and "SMTP_LOGIN" in environment(one)] == []


def web(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (found,) = (one for one in objects if (one["kind"], one["metadata"]["name"]) == ("Deployment", "mastodon-web"))
    spec: dict[str, Any] = found["spec"]
    return spec


def test_the_number_of_web_pods_is_the_charts_unless_load_decides(render: Render) -> None:
    assert web(render(mastodon_monitoring=False))["replicas"] == 1
    assert "replicas" not in web(render(mastodon_web_max_replicas=3))


def test_pods_are_made_anew_for_another_environment_and_not_for_a_revision(render: Render) -> None:
    annotations = web(render(mastodon_monitoring=False))["template"]["metadata"]["annotations"]
    assert set(annotations) == {"checksum/config-configmap"}
