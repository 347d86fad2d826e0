# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubectl is the judge of what a scalar in a template or manifest is."""

from __future__ import annotations

import json
import math
import random
import subprocess
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._documents import parse
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._yaml import value_of
from ansible_collections.fediverse.mastodon.tests.conftest import SEED
from ansible_collections.fediverse.mastodon.tests.unit.plugins.plugin_utils.test_documents import SCALARS

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
MANY = 4000
# Of what numbers, booleans, nulls, dates and times are made, and what else may stand in a plain scalar.
PIECES = (
    *"0123456789",
    *("00", "0x", "0o", "0b", "08", "1e", "e+", "E-", "_", ".", "-", "+", ":", "=", "~", "%", " ", "T", "Z"),
    *("true", "Yes", "no", "y", "N", "on", "Off", "null", "Null", "nan", "inf", ".inf", ".NaN", "a", "é", "<<"),
    *("9223372036854775807", "18446744073709551615", "2026-01-01"),
)


def by_kubectl(kubectl: str, fields: str) -> dict[str, Any]:
    """Return `data` as kubectl reads it."""
    command = [kubectl, "annotate", "--local", "--filename=-", "--output=json", "judged=yes"]
    done = subprocess.run(command, input=f"{HEAD}data:\n{fields}", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["data"]
    return found


def as_json(value: Any) -> str:
    """Return a value as the API server tells it from others: whole numbers beyond 64 bits are real ones to it."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    return json.dumps(value, sort_keys=True)


def scalars(seed: int) -> list[str]:
    """Return scalars at random, all of them plain."""
    draw = random.Random(seed)
    drawn = ("".join(draw.choices(PIECES, k=draw.randint(1, 5))).strip() for _unused in range(MANY))
    return [one for one in drawn if is_plain(one) and is_finite(value_of(one))]


def is_plain(text: str) -> bool:
    """Whether a text can stand without quotes."""
    return text not in ("", "-", "<<") and not text.startswith(("%", "- ")) and ": " not in f"{text} "


def is_finite(value: Any) -> bool:
    """Whether JSON has it: kubectl refuses infinity with all else that stands in the same file."""
    return not isinstance(value, float) or math.isfinite(value)


def test_a_plain_scalar_is_what_kubectl_takes_it_for(kubectl: str) -> None:
    drawn = scalars(SEED)
    assert len(drawn) > MANY / 2
    fields = "".join(f"  k{number}: {scalar}\n" for number, scalar in enumerate(drawn))
    theirs, ours = by_kubectl(kubectl, fields), parse(f"data:\n{fields}", "X")[0]["data"]
    wrong = [
        (drawn[int(key[1:])], theirs[key], ours[key]) for key in ours if as_json(theirs[key]) != as_json(ours[key])
    ]
    assert wrong == []


def test_the_table_of_the_unit_tests_is_kubectl_s(kubectl: str) -> None:
    theirs = by_kubectl(kubectl, "".join(f"  k{number}: {text}\n" for number, text in enumerate(SCALARS)))
    expected = {f"k{number}": value for number, value in enumerate(SCALARS.values())}
    assert {key: as_json(value) for key, value in theirs.items()} == {
        key: as_json(value) for key, value in expected.items()
    }
