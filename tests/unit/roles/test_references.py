# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fetched from the internet is what the pins say, and Molecule's scenario in kind can say it beforehand."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mastodon_lab import versions

from .conftest import ROOT
from .named_images import NAMED
from .references import named, platform, references
from .sites import SITES

PIN = re.compile(r"# renovate: datasource=(\S+) depName=(\S+)(?: registryUrl=(\S+))?\n +\w+: (\S+)")


def pinned() -> Iterator[str]:
    """Yield what each pin says that is to be fetched, by the comment that tells Renovate where new ones come from."""
    for file in ROOT.glob("roles/*/vars/**/*.yml"):
        for source, name, registry, version in PIN.findall(file.read_text(encoding="utf-8")):
            if source == "helm":
                yield f"chart {registry.rstrip('/')}/{name}:{version}"
            elif source == "docker":
                yield f"chart oci://{name}:{version}" if "/helm/" in name else f"image {name}:{version}"
            elif source == "github-releases":
                yield f"images of Flux {version} from ghcr.io/fluxcd"
            else:
                yield f"manifest https://github.com/{name}/releases/download/{version}/install.yaml"


def test_whatever_is_fetched_is_pinned_and_the_other_way_round() -> None:
    assert references({**SITES["everything"], "flux_install": True}) == sorted(pinned())


def test_a_moved_pin_is_looked_at_for_the_images_that_it_brings() -> None:
    themselves = {line for line in pinned() if line.startswith("image ") and line not in NAMED}
    assert NAMED.keys() == set(pinned()) - themselves


def test_the_scenario_in_kind_says_all_that_it_would_fetch() -> None:
    done = subprocess.run(
        [str(ROOT / "extensions/molecule/kind/references")],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    # What that inventory does not ask for.
    pins = [line for line in pinned() if not re.search("rclone|barman|volsync|library/python", line)]
    assert sorted(said) == sorted([*platform(), *pins, *named(pins)])


def test_the_platform_s_images_have_the_versions_of_the_lab() -> None:
    images = [line.removeprefix("image ") for line in platform()]
    assert versions.KIND_NODE in images
    assert "@sha256:" in versions.KIND_NODE
    tags = {
        image.rpartition("/")[2].partition(":")[0]: image.rpartition(":")[2] for image in images if "@" not in image
    }
    assert tags == {
        "busybox": versions.BUSYBOX,
        "coredns": versions.COREDNS.removeprefix("v"),
        "knot": versions.KNOT,
        "mailpit": versions.MAILPIT,
        "openbao": versions.OPENBAO,
        "pebble": versions.PEBBLE.removeprefix("v"),
        "redis": versions.REDIS_MAJOR,
        "traefik": versions.TRAEFIK,
        "versitygw": versions.VERSITY,
    }
