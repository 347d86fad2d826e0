# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fetched from the internet, one line each: charts, images and the manifest of Flux's operator.

extensions/molecule/kind/references prints this for its inventory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from mastodon_lab import versions
from mastodon_lab.lab import DOCKER, Lab
from mastodon_lab.parts.platform import images_of

from .conftest import ROOT, Site
from .documents import strings
from .named_images import NAMED

ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml"))
# What inventories/kind reads from a lab, as far as more is fetched by it.
OF_A_LAB = {"rook_backend": "rook", "rook_storage": {"devices": [{"name": "/dev/loop200"}]}}
# A name with a registry, and a version.
IMAGE = re.compile(r"[\w.-]+\.[\w.-]+/\S+:\S+")


def references(settings: Mapping[str, Any]) -> list[str]:
    """Return a line for each, of all roles with these settings."""
    site = Site(**settings)
    applied = [item for role in ROLES for item in site.objects(role).values()]
    return sorted({*_charts(applied), *_images(applied), *_flux(site, applied)})


def platform() -> list[str]:
    """Return a line for each image of the lab that `lab/up --on docker --with all` starts: the node, and what Mastodon stands on."""
    lab = Lab("kind", 1, Path("/"), Path("/"), way=DOCKER)
    return sorted(f"image {image}" for image in (versions.KIND_NODE, *images_of(lab)))


def named(fetched: Iterable[str]) -> list[str]:
    """Return a line for each image that is named by what is fetched already."""
    return sorted(f"image {image}" for line in fetched for image in NAMED.get(line, ()))


def kind_inventory() -> dict[str, Any]:
    """Return the settings of inventories/kind, with those that are read from a lab as far as OF_A_LAB has them."""
    files = sorted((ROOT / "inventories/kind/group_vars/clusters").glob("*.yml"))
    settings = {
        name: value for file in files for name, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    }
    return {**{name: value for name, value in settings.items() if "{{" not in str(value)}, **OF_A_LAB}


def _charts(applied: list[dict[str, Any]]) -> Iterator[str]:
    def source(item: Mapping[str, Any]) -> tuple[str, str]:
        return item["metadata"]["namespace"], item["metadata"]["name"]

    repositories = {
        source(item): item["spec"]["url"].rstrip("/") for item in applied if item["kind"] == "HelmRepository"
    }
    for item in applied:
        if item["kind"] == "HelmRelease":
            chart = item["spec"]["chart"]["spec"]
            reference = chart["sourceRef"]
            namespace = reference.get("namespace", item["metadata"]["namespace"])
            yield f"chart {repositories[namespace, reference['name']]}/{chart['chart']}:{chart['version']}"


def _images(applied: list[dict[str, Any]]) -> Iterator[str]:
    for key, value in strings(applied):
        if key in ("image", "imageName") and IMAGE.fullmatch(value):
            yield f"image {value}"


def _flux(site: Site, applied: list[dict[str, Any]]) -> Iterator[str]:
    for item in applied:
        if item["kind"] == "FluxInstance":
            distribution = item["spec"]["distribution"]
            yield f"images of Flux {distribution['version']} from {distribution['registry']}"
            yield f"manifest {site.value('flux_operator_manifest')}"
