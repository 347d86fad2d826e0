# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stand-in for Dragonfly puts before each script, run by the Lua of Redis; what it rewrites is tested beside it, in Go."""

from __future__ import annotations

from typing import Any

import pytest
from lupa.lua51 import LuaError, LuaRuntime
from mastodon_lab.build.golang import STAND_INS_MODULE

GUARD = " ".join((STAND_INS_MODULE / "dragonfly/scripts/guard.lua").read_text().split())
REDIS = """
KEYS = {'declared'}
local function run(...) return table.concat({...}, ' ') end
redis = {call = run, pcall = run, sha1hex = function(text) return 'sum of ' .. text end}
"""
REFUSED = "script tried accessing undeclared key"


def run(script: str) -> Any:
    runtime = LuaRuntime()
    runtime.execute(REDIS)
    return runtime.execute(f"{GUARD} {script}")


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("return redis.call('GET', KEYS[1])", "GET declared"),
        ("return redis.call('set', KEYS[1], 'x')", "set declared x"),
        ("return redis.call('TIME')", "TIME"),
        ("return redis.call('PUBLISH', 'channel', 'x')", "PUBLISH channel x"),
        ("return redis.sha1hex('x')", "sum of x"),
    ],
)
def test_a_script_may_touch_what_it_declares(script: str, result: str) -> None:
    assert run(script) == result


def test_a_script_that_touches_another_key_ends_or_is_reported() -> None:
    with pytest.raises(LuaError, match=REFUSED):
        run("local ok, reply = pcall(redis.call, 'GET', KEYS[1] .. ':LOCKED') error(reply.err)")
    assert REFUSED in run("return redis.pcall('GET', 'other').err")
