# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all sites compile once is compiled again wherever the code would be another."""

from __future__ import annotations

from typing import Any

import jinja2
import pytest
from ansible.template import Templar, trust_as_template
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
        assert jinja2.Environment().from_string(text).render() == usual
        assert jinja2.Environment(**settings).from_string(text).render() == other


def test_extensions_and_the_sandbox_have_their_own_code() -> None:
    text = "{{ ''.__class__ }}"
    assert "str" in jinja2.Environment().from_string(text).render()
    assert SandboxedEnvironment().from_string(text).render() == ""
    loop = "{% for i in [1, 2] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}"
    assert jinja2.Environment(extensions=["jinja2.ext.loopcontrols"]).from_string(loop).render() == "1"
    with pytest.raises(jinja2.TemplateSyntaxError):
        jinja2.Environment().from_string(loop)


def test_so_has_each_use_of_a_text() -> None:
    environment = jinja2.Environment()
    assert environment.compile("a").co_filename == "<template>"
    assert environment.compile("a", filename="b").co_filename == "b"
    assert "name = 'c'" in environment.compile("a", name="c", raw=True)
    assert "name = 'd'" in environment.compile("a", name="d", raw=True)
    assert environment.compile("a", raw=True) != environment.compile("a", raw=True, defer_init=True)


def test_all_else_is_compiled_once() -> None:
    assert jinja2.Environment().compile("{{ e }}\\") is jinja2.Environment().compile("{{ e }}\\")
