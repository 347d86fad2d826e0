# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real API server, and a namespace of its own for every test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from ansible_collections.fediverse.mastodon.tests.integration.api.support import Cluster
from ansible_collections.fediverse.mastodon.tests.integration.api.whoever import World, made_world


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> str:
    """The cluster that TEST_KUBECONFIG names, or else the tests' own lab; never the one that somebody works with."""
    named = os.environ.get("TEST_KUBECONFIG")
    return named or str(request.getfixturevalue("lab").facts["kubeconfig"])


@pytest.fixture(scope="session")
def kubectl(request: pytest.FixtureRequest) -> str:
    """The program kubectl, of the tests' own lab unless the cluster is another: then TEST_KUBECTL, or what is in the PATH."""
    named = os.environ.get("TEST_KUBECTL", "kubectl") if os.environ.get("TEST_KUBECONFIG") else ""
    return named or str(request.getfixturevalue("lab").facts["kubectl"])


@pytest.fixture
def cluster(kubeconfig: str) -> Iterator[Cluster]:
    name = f"apply-{uuid.uuid4().hex[:8]}"
    found = Cluster.of(kubeconfig, name)
    path = f"/api/v1/namespaces/{name}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    found.client.request("POST", "/api/v1/namespaces", about=name, body=body)
    yield found
    for crd in found.crds:
        found.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}")
    found.client.request("DELETE", path, about=name)


@pytest.fixture(scope="session")
def world(kubeconfig: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with made_world(kubeconfig, tmp_path_factory.mktemp("whoever")) as made:
        yield made
