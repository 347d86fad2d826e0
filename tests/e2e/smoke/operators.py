# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay down a chart of the lab's mirror by Flux, as site.yml does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...conftest import Lab
from .support import apply, namespace, wait_ready


@contextmanager
def operator(lab: Lab, repository: str, chart: str, version: str, space: str) -> Iterator[None]:
    """An operator in a namespace of its own; both are gone afterwards."""
    with namespace(lab, space):
        apply(
            lab,
            {
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "HelmRepository",
                "metadata": {"name": chart, "namespace": space},
                "spec": {"interval": "1h", "url": f"{lab.facts['mirror']}/charts/{repository}"},
            },
            {
                "apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease",
                "metadata": {"name": chart, "namespace": space},
                "spec": {
                    "interval": "1h",
                    "releaseName": chart,
                    "chart": {
                        "spec": {
                            "chart": chart,
                            "version": version,
                            "sourceRef": {"kind": "HelmRepository", "name": chart},
                        }
                    },
                },
            },
        )
        wait_ready(lab, "helmrelease", space, chart)
        yield
        lab.kubectl("delete", "helmrelease", f"-n={space}", chart, "--timeout=120s")
