# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each role by its tag alone: on a full cluster it changes nothing, on an empty one it says what comes first."""

from __future__ import annotations

import json
import os
import re

import pytest

from ...conftest import ROOT, Lab
from ..alone import failures, outputs
from .conftest import BY_TAG, PARTS, STANDS_ON, Story

EVERY = sorted(path.name for path in (ROOT / "roles").iterdir() if path.name not in ("common", "doctor"))
# By one run those whose tags no other test of a full cluster uses: which tasks a tag takes is seen without a cluster.
TAGS = EVERY if os.environ.get("TEST_EVERY_TAG") else ["flux,external_secrets,cert_manager,gateway,volsync"]


@pytest.mark.parametrize("tags", TAGS)
def test_on_a_full_cluster_a_tag_runs_its_role_alone_and_changes_nothing(installed: Lab, tags: str) -> None:
    run = installed.site("--tags", tags)
    assert run.returncode == 0, run.output[-4000:]
    roles = set(re.findall(r"^TASK \[fediverse\.mastodon\.(\w+) : ", run.output, re.MULTILINE))
    # The doctor looks at the Mastodon that runs with a task of role mastodon, which asks role cnpg what a restore made of its database.
    assert roles == {"doctor", "mastodon", "cnpg", *tags.split(",")}
    assert run.recap["changed"] == 0


@pytest.mark.parametrize("tag", BY_TAG)
def test_on_an_empty_cluster_a_tag_says_which_tag_comes_first(story: Story, tag: str) -> None:
    run = story.tags[tag]
    assert run.returncode != 0
    said = (
        f"not served by this cluster. Run fediverse.mastodon.site with --tags {STANDS_ON[tag]} first, or without tags."
    )
    # It asks the bucket before it makes a release.
    if tag == "mastodon":
        said = "Secret mastodon/mastodon-s3: does not exist. Apply the ExternalSecret or claim that creates it, as fediverse.mastodon.site does without --tags."
    assert said in " ".join(run.output.split())
    assert "Traceback" not in run.output


# Check a Mastodon that runs, what a database had before and what a restore kept of it, and there is none of them.
NEEDS_NOTHING = {("mastodon", "launched"), ("cnpg", "leftovers"), ("cnpg", "generation")}


def test_on_an_empty_cluster_each_file_of_a_role_says_in_one_sentence_what_is_missing(story: Story) -> None:
    assert list(outputs(story.parts)) == PARTS
    found = failures(story.parts)
    for role, first in STANDS_ON.items() - {("mastodon", "flux")}:
        assert (
            f"not served by this cluster. Run fediverse.mastodon.site with --tags {first} first" in found[role, "main"]
        )
    assert found.keys() == set(PARTS) - NEEDS_NOTHING
    # A look from outside reports what others see.
    assert re.fullmatch(r"Federation of \S+: \d+ CUT, .+", found.pop(("mastodon", "federation")))
    wrong = "not served by this cluster|cannot be found|has no namespace|does not answer|none is ready|does not exist"
    sentence = re.compile(rf"[A-Z]\w+ \S+: ({wrong}).*\. [A-Z].*\.")
    assert [line for text in found.values() for line in text.splitlines() if not sentence.fullmatch(line)] == []


def test_a_prerequisite_of_yours_that_is_not_there_is_named_before_anything_is_written(installed: Lab) -> None:
    mark = installed.audit_mark()
    settings = {
        "volsync_install": False,
        "volsync_volumes": [{"name": "pages"}],
        "volsync_endpoint": "https://s3.example.org",
        "volsync_bucket": "backups",
    }
    run = installed.site("--tags", "volsync", "-e", json.dumps(settings))
    assert run.returncode != 0
    assert (
        "ReplicationSource (volsync.backube/v1alpha1): not served by this cluster. Run fediverse.mastodon.site with --tags volsync"
        in " ".join(run.output.split())
    )
    assert installed.our_writes(mark) == []
