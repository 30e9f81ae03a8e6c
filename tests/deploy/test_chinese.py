"""The Chinese pages keep step with the English ones: headings, codes, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ((ROOT / path).read_text(encoding="utf-8") for path in ("docs/runbook.md", "docs/zh/runbook.md"))
README, README_ZH = ((ROOT / path).read_text(encoding="utf-8") for path in ("README.md", "README.zh-CN.md"))
PARTS = ("流量", "确认", "处理", "不要")

TYPED = re.compile("`([^`]+)`")


def sections(text: str) -> dict[str, str]:
    """By heading, in order; what stands before the codes' own is the first."""
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in text.split("\n## ")[1:]}


def part(section: str, title: str) -> str:
    found = re.search(rf"^\*\*{title}\*\*[:\uff1a]?(.*(?:\n.+)*)", section, re.MULTILINE)
    assert found, title
    return found[1]


def typed(text: str) -> list[str]:
    return sorted(TYPED.findall(text))


def test_codes_are_the_same_in_the_same_order() -> None:
    assert list(sections(CHINESE))[1:] == list(sections(ENGLISH))[1:]
    assert {each.code for each in (*causes(), UNEXPLAINED)} == set(list(sections(CHINESE))[1:])


@pytest.mark.parametrize("code", list(sections(ENGLISH))[1:])
def test_commands_are_the_same(code: str) -> None:
    """What proves a fault is typed alike; no other section has a command that the English one has not."""
    english, chinese = sections(ENGLISH)[code], sections(CHINESE)[code]
    assert typed(part(chinese, "确认")) == typed(part(english, "Be sure"))
    assert set(typed(chinese)) - set(typed(english)) == set()


@pytest.mark.parametrize("code", list(sections(ENGLISH))[1:])
def test_section_is_whole_and_chinese(code: str) -> None:
    section = sections(CHINESE)[code]
    assert re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE) == list(PARTS)
    for text in (section.strip().partition("\n")[0], *(part(section, title) for title in PARTS)):
        assert re.search("[\u4e00-\u9fff]", TYPED.sub("", text)) or text == part(section, PARTS[1]), text
        assert text.strip().endswith("。"), text


def code_of(text: str) -> list[str]:
    """What is typed and shown: indented and fenced lines, without their comments."""
    fenced = False
    found = []
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if fenced or line.startswith("    "):
            found.append(re.sub(r"\s+#.*", "", line))
    return found


def test_readme_has_the_same_headings_commands_and_samples() -> None:
    headings = (re.findall(r"^#+ ", text, re.MULTILINE) for text in (README, README_ZH))
    assert len({tuple(each) for each in headings}) == 1
    assert code_of(README) == code_of(README_ZH)


def test_readme_names_the_same_paths_and_options() -> None:
    named = [set(re.findall(r"`(/[a-z/]+|--[a-z-]+|[a-z]+_[a-z]+)`", text)) for text in (README, README_ZH)]
    assert named[0] == named[1]
