# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all sites compile once is compiled again wherever the code would be another."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.template import Templar, trust_as_template
from jinja2 import TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment


@pytest.mark.parametrize("first", [True, False])
def test_a_backslash_is_read_as_each_asks(first: bool) -> None:
    text = trust_as_template(f"{{{{ '{first}\\ta' }}}}")
    found = {escaped: Templar(loader=None).template(text, escape_backslashes=escaped) for escaped in (first, not first)}
    assert found == {True: f"{first}\\ta", False: f"{first}\ta"}


def double(value: Any) -> Any:
    return value * 2


@pytest.mark.parametrize(
    ("text", "settings", "usual", "other"),
    [
        ("{{ 1 }} <<2>>", {"variable_start_string": "<<", "variable_end_string": ">>"}, "1 <<2>>", "{{ 1 }} 2"),
        ("{% if true %}\na{% endif %}", {"trim_blocks": True}, "\na", "a"),
        ("a\n", {"keep_trailing_newline": True}, "a", "a\n"),
        ("{{ 'b' }}", {"finalize": double}, "b", "bb"),
        ("{{ '<' }}", {"autoescape": True}, "<", "&lt;"),
    ],
)
def test_each_setting_has_its_own_code(text: str, settings: dict[str, Any], usual: str, other: str) -> None:
    for _again in range(2):
        assert SandboxedEnvironment().from_string(text).render() == usual
        assert SandboxedEnvironment(**settings).from_string(text).render() == other


class Intercepting(SandboxedEnvironment):
    """Does sums itself."""

    intercepted_binops = frozenset({"+"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        return f"{left} {operator} {right}"


def test_each_kind_of_environment_has_its_own_code() -> None:
    assert SandboxedEnvironment().from_string("{{ one + 1 }}").render(one=1) == "2"
    assert Intercepting().from_string("{{ one + 1 }}").render(one=1) == "1 + 1"


def test_so_has_each_extension() -> None:
    loop = "{% for i in [1, 2] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}"
    assert SandboxedEnvironment(extensions=["jinja2.ext.loopcontrols"]).from_string(loop).render() == "1"
    with pytest.raises(TemplateSyntaxError):
        SandboxedEnvironment().from_string(loop)


def test_so_has_each_use_of_a_text() -> None:
    environment = SandboxedEnvironment()
    assert environment.compile("a").co_filename == "<template>"
    assert environment.compile("a", filename="b").co_filename == "b"
    assert "name = 'c'" in environment.compile("a", name="c", raw=True)
    assert "name = 'd'" in environment.compile("a", name="d", raw=True)
    assert environment.compile("a", raw=True) != environment.compile("a", raw=True, defer_init=True)


def test_all_else_is_compiled_once() -> None:
    assert SandboxedEnvironment().compile("{{ e }}\\") is SandboxedEnvironment().compile("{{ e }}\\")
