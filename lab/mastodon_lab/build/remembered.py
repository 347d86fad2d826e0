# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab was built as, so that repairing it neither looks at every artefact again nor waits while others build."""

from __future__ import annotations

import json
from pathlib import Path

from mastodon_lab.build.plan import Built
from mastodon_lab.build.store import key, tree_key
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab

# The lab's own code and files are all that builds are made from: versions, checksums and recipes stand in them.
SOURCES = Path(__file__).parents[2]


def remember(lab: Lab, built: Built) -> None:
    """Note it in the lab's state."""
    noted = {
        "made_from": _made_from(lab),
        "programs": {name: str(path) for name, path in built.programs.items()},
        "images": [str(path) for path in built.images],
        "mirror": str(built.mirror),
        "gateway_api": str(built.gateway_api),
    }
    write_private(_file(lab), json.dumps(noted, indent=1))


def recall(lab: Lab) -> Built | None:
    """What was noted, if it was made from the same sources for the same parts and is all there still."""
    try:
        noted = json.loads(_file(lab).read_text())
        built = Built(
            {name: Path(path) for name, path in noted["programs"].items()},
            tuple(Path(path) for path in noted["images"]),
            Path(noted["mirror"]),
            Path(noted["gateway_api"]),
        )
        same = noted["made_from"] == _made_from(lab)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    paths = (*built.programs.values(), *built.images, built.mirror, built.gateway_api)
    return built if same and all(path.exists() for path in paths) else None


def _made_from(lab: Lab) -> str:
    return key(tree_key(SOURCES), str(lab.cache), lab.way, *sorted(lab.parts))


def _file(lab: Lab) -> Path:
    return lab.state / "built.json"
