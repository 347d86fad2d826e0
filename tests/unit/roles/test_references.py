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

from .conftest import ROOT
from .references import references
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


def test_the_scenario_in_kind_says_what_it_would_fetch() -> None:
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
    assert "chart https://traefik.github.io/charts/traefik, the newest" in said
    fetched = {line for line in said if not line.endswith(", the newest")}
    assert fetched < set(pinned())
    # What that inventory has from elsewhere is not fetched.
    assert not [line for line in said if re.search("rook|ceph|dragonfly|external-dns", line)]
