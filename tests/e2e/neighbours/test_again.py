# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab that was down is up again with all that was in it, and proves it: what `lab/try` does a second time."""

from __future__ import annotations

import subprocess

from ...conftest import LAB_NAME, ROOT, Lab


def lab_command(verb: str) -> str:
    done = subprocess.run(
        [str(ROOT / "lab" / verb), "--name", LAB_NAME], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_a_lab_that_was_down_is_proved_again_and_has_changed_nothing(installed: Lab) -> None:
    before = installed.get("certificate", "--all-namespaces")["items"]
    for verb in ("down", "up"):
        lab_command(verb)
    run = installed.site()
    assert run.returncode == 0, run.output[-4000:]
    assert run.recap["changed"] == 0, run.output[-4000:]
    reported = lab_command("prove")
    assert "answers 200" in reported
    assert [line.partition(":")[0] for line in reported.splitlines()[-4:]] == [
        "Sign in",
        "Password",
        "Look around",
        "Stop",
    ]
    after = installed.get("certificate", "--all-namespaces")["items"]
    assert [item["status"]["revision"] for item in after] == [item["status"]["revision"] for item in before]
