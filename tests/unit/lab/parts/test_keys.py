# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.files import write_private
from mastodon_lab.lab import Lab
from mastodon_lab.parts.keys import Keys, keys


def test_keys_are_made_once_for_root_alone(lab: Lab) -> None:
    made = keys(lab)
    assert keys(lab) == made
    (file,) = lab.state.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_keys_differ_and_have_their_forms() -> None:
    first, second = Keys.random(), Keys.random()
    assert first.redis_password != second.redis_password
    assert len(base64.b64decode(first.seal_key)) == len(base64.b64decode(first.tsig_secret)) == 32
    # They go into command lines, URLs and configuration files unquoted.
    assert (first.redis_password + first.s3_access_key + first.s3_secret_key + first.smtp_password).isalnum()


def test_a_lab_older_than_a_key_is_given_it_once(lab: Lab) -> None:
    file = lab.state / "platform.json"
    older = asdict(keys(lab))
    del older["tsig_secret"]
    file.write_text(json.dumps(older))
    made = keys(lab)
    assert older.items() < asdict(made).items()
    assert keys(lab) == made


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"unknown": "key"}', "not json"])
def test_unreadable_keys_are_said_without_their_values(lab: Lab, text: str) -> None:
    (lab.state / "platform.json").write_text(text)
    with pytest.raises(
        LabError, match=r"^The platform's keys in .*: not readable: .*\. Restore the file, or start over"
    ):
        keys(lab)


def test_private_files_replace_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    file.chmod(0o644)
    (tmp_path / ".token.new").write_text("left by a killed run")
    write_private(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]
