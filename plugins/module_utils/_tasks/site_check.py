# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.site_check`: from options to a result, in the controller or on a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.answers import (
    SITE_OPTION,
    NotAskedError,
    NotInstalledError,
    examine,
    site_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        "report": {"type": "list", "elements": "str", "default": []},
        "site": SITE_OPTION,
        "wait_timeout": {"type": "int", "default": 60},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Ask the site until it answers. Raises MastodonError when it does not. In check mode it is asked once, if it is there,
    and what is wrong is said."""
    if not parameters["site"]:
        raise MastodonError("Option site", "missing", "it is not set what to ask", "Name domain, release and Gateway.")
    try:
        verdict, result = _asked(parameters, run)
        run.say(result)
        return {"changed": False, "verdict": verdict, "result": result}
    finally:
        # Also of use when it does not answer yet, as when the DNS records of a first install are late.
        for line in parameters["report"]:
            run.say(line)


def _asked(parameters: Mapping[str, Any], run: Run) -> tuple[str, str]:
    connection, site = connect(parameters, run.environment), site_of(parameters["site"])
    seconds = 0 if run.check else parameters["wait_timeout"]
    try:
        found = examine(parameters["site"], connection, seconds, run.say)
        # A part that nobody asked did not pass.
        return "skipped" if found.skipped else "passed", str(found)
    except MastodonError as error:
        # What is wrong may be what a run would put right.
        if not run.check:
            raise
        return "failed", f"check mode: {error}"
    except NotAskedError as reason:
        if isinstance(reason, NotInstalledError) and not run.check:
            raise MastodonError(str(site), "does not answer", str(reason), "Run fediverse.mastodon.site.") from reason
        return "skipped", f"skipped the request to {site}: {reason}"


TASK = Task(ARGUMENTS, run_task)
