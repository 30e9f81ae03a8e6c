"""A name out of a database, a process or a socket does nothing where it is shown."""

from __future__ import annotations

import ast
import io
import json
import logging
import sys
import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet import texts
from ovsnet.cli import logs
from ovsnet.cli.terminal import marked, say, styled
from ovsnet.doctor.examination import Examination
from ovsnet.doctor.finding import Finding, Severity
from ovsnet.health.checks.asking import _result
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.result import Answer, Status
from ovsnet.io.sd_notify import Notifier
from tests.test_layers import FILES

EVIL = "e\x1b[31mvil\x1b]0;PWNED\x07\r\n<0>forged\x9b2J\u202etxt\u2066\u200b\udcff"
SHOWN = r"e\u001b[31mvil\u001b]0;PWNED\u0007\u000d\u000a<0>forged\u009b2J\u202etxt\u2066\u200b\udcff"


def acts(character: str) -> bool:
    """Whether it is more than a picture: Unicode's categories of controls, formats, surrogates and separators."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _SILENT


_SILENT = set(
    map(
        chr,
        (
            *(0xAD, *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x180E, 0x110BD, 0x110CD),
            *(*range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)),
        ),
    )
)
"""Formats of scripts, which turn nothing around and hide nothing."""


@given(st.text(st.characters(), max_size=40))
def test_nothing_that_acts_is_left(text: str) -> None:
    for function in (texts.for_line, texts.for_log, texts.for_manager, texts.for_metric):
        assert not [each for each in function(text) if acts(each)]
    for function in (texts.for_http, texts.for_terminal):
        assert not [each for each in function(text) if acts(each) and each not in "\n\t"]


@given(st.text(st.characters(), max_size=40))
def test_text_is_shown_once_however_often_it_is_passed_on(text: str) -> None:
    assert texts.for_line(texts.for_line(text)) == texts.for_line(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_document_stays_what_it_was(text: str) -> None:
    encoded = texts.for_json(json.dumps({"it": text}, ensure_ascii=False))
    assert json.loads(encoded) == {"it": text}
    assert not [each for each in encoded if acts(each)]


def test_other_letters_are_left_alone() -> None:
    assert texts.for_line("br-int: schön, 网桥, naïve «1»") == "br-int: schön, 网桥, naïve «1»"


def test_document_that_leaves_as_json_has_nothing_that_acts_left() -> None:
    encoded = texts.json_of({EVIL: (EVIL, 1, None), "a": [{"b": EVIL}]})
    assert json.loads(encoded) == {SHOWN: [SHOWN, 1, None], "a": [{"b": SHOWN}]}
    assert not [each for each in encoded.decode() if acts(each)]


def test_documents_of_others_are_made_harmless_throughout() -> None:
    assert texts.harmless({EVIL: [EVIL, 1, None, {"a": EVIL}]}) == {SHOWN: [SHOWN, 1, None, {"a": SHOWN}]}


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, text: str, encoding: str = "utf-8") -> str:
    terminal = Terminal()
    terminal.encoding = encoding
    monkeypatch.setattr(sys, "stdout", terminal)
    say(text)
    return terminal.getvalue()


def test_terminal_gets_our_styles_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, f"{styled(EVIL, fg='red')} {EVIL}") == f"\x1b[31m{SHOWN}\x1b[0m {_lines(SHOWN)}\n"


def _lines(shown: str) -> str:
    return shown.replace(r"\u000a", "\n")


def test_sign_is_for_a_terminal_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, marked("failed", "x")) == "✖ \x1b[31mx\x1b[0m\n"
    assert printed(monkeypatch, marked("failed", "x"), "latin-1") == "\x1b[31mx\x1b[0m\n"
    assert printed(monkeypatch, marked("of another version", "x")).startswith("? ")
    piped = io.StringIO()
    monkeypatch.setattr(sys, "stdout", piped)
    say(marked("failed", "x"))
    assert piped.getvalue() == "x\n"


def test_locale_that_lacks_letters_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, "schön \udcff", "ascii") == "sch\\xf6n \\udcff\n"


PRINTERS = ("print", "click.echo", "click.secho", "click.style")


def test_only_one_function_prints() -> None:
    used = {
        (file, ast.unparse(call.func))
        for file, path in FILES.items()
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("print", "click.echo", "click.secho", "click.style")
    }
    assert used == {("cli/terminal.py", "click.echo"), ("cli/terminal.py", "click.style")}


@pytest.mark.parametrize("form", ["human", "journal", "json"])
def test_log_gets_one_entry(form: str) -> None:
    stream = io.StringIO()
    logger = logging.Logger("ovsnet")
    logger.addHandler(logs.handler(form, {}, stream))
    logger.warning("no bridge %s", EVIL, extra={"fields": {"evidence": [EVIL]}})
    said = stream.getvalue()
    assert said.count("\n") == 1
    assert not [each for each in said[:-1] if acts(each)]
    assert "PWNED" in said


def test_traceback_keeps_its_lines_and_each_its_priority() -> None:
    stream = io.StringIO()
    logger = logging.Logger("ovsnet")
    logger.addHandler(logs.handler("journal", {}, stream))
    try:
        raise ValueError(EVIL)
    except ValueError:
        logger.exception("a bug of %s", EVIL)
    lines = stream.getvalue().splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") and not [each for each in line if acts(each)] for line in lines)


def test_manager_gets_one_assignment() -> None:
    sent: list[str] = []
    notifier = Notifier(sent.append, None)
    notifier.status(f"no bridge {EVIL}\nMAINPID=1")
    assert len(sent) == 1
    assert not [each for each in sent[0] if acts(each)]


def test_results_and_findings_are_harmless_from_the_start() -> None:
    class OfNode:
        @staticmethod
        def clock() -> float:
            return 0.0

    answer = Answer(Status.FAILED, "x", EVIL, values={"bridge": EVIL, "n": 1, EVIL: 2}, facts={"bridge": EVIL})
    result = _result(next(iter(CHECKS.values())), OfNode(), answer)  # type: ignore[arg-type]
    assert (result.detail, result.values, result.facts) == (
        SHOWN,
        {"bridge": SHOWN, "n": 1, SHOWN: 2},
        {"bridge": SHOWN},
    )
    msgspec.json.encode(result.detail)
    finding = Finding(Severity.NOTE, EVIL, EVIL, (EVIL,))
    (said,) = Examination("x.y", "fact", lambda host, live: iter([finding]), False).findings(None, None)  # type: ignore[arg-type]
    assert (said.summary, said.remedy, said.evidence) == (SHOWN, SHOWN, (SHOWN,))


NAMES = ["ovsdb.echo", "ovsdb.bridge", "openflow.echo"]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("ovsdb.ech", "Did you mean ovsdb.echo?"),
        ("ovdsb.bridge", "Did you mean ovsdb.bridge?"),
        ("ovsdb", "Did you mean ovsdb.echo or ovsdb.bridge?"),
        ("o", "Did you mean ovsdb.echo, ovsdb.bridge or openflow.echo?"),
        ("xyzzy", "The checks are: ovsdb.echo, ovsdb.bridge, openflow.echo."),
        ("", "The checks are: ovsdb.echo, ovsdb.bridge, openflow.echo."),
    ],
)
def test_unknown_name_is_answered_with_those_that_may_be_meant(name: str, remedy: str) -> None:
    assert texts.likely(name, iter(NAMES), "The checks") == remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("nme3", "Did you mean name3? The names are listed here."),
        ("nam", "Did you mean name0, name1 or name2? The names are listed here."),
        ("ename", "Did you mean "),
        ("xyzzy", "The names are listed here."),
    ],
)
def test_of_many_names_three_are_suggested_and_where_the_others_are(name: str, remedy: str) -> None:
    said = texts.likely(name, [f"name{number}" for number in range(9)], "The names", "here")
    assert said.startswith(remedy)
    assert said.endswith("The names are listed here.")
    assert said.count("name") <= 4


@pytest.mark.parametrize(
    ("number", "text"),
    [(4.97663, "5 s"), (0.996009, "1 s"), (0.3, "0.3 s"), (0.02, "0.02 s"), (90.0, "90 s"), (3600.0, "3600 s")],
)
def test_time_that_is_left_is_written_as_the_one_that_was_given(number: float, text: str) -> None:
    assert texts.seconds(number) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (4096, "4096 bytes"), (4_000_000, "3.8 MiB"), (76_347_809_792, "71.1 GiB"), (1 << 41, "2.0 TiB")],
)
def test_bytes_are_written_as_people_read_them(number: int, text: str) -> None:
    assert texts.size(number) == text


@pytest.mark.parametrize(
    ("names", "text"), [((), ""), (("a",), "a"), (("a", "b"), "a or b"), (("a", "b", "c"), "a, b or c")]
)
def test_names_are_listed_as_people_do(names: tuple[str, ...], text: str) -> None:
    assert texts.listed(names, "or") == text


@pytest.mark.parametrize(("text", "number"), [("0", 0), (" 17\n", 17), ("1" * 20, int("1" * 20))])
def test_whole_number_is_read(text: str, number: int) -> None:
    assert texts.whole_number(text) == number


@pytest.mark.parametrize("text", ["", "²", "٣", "+1", "1 2", "1_000", "9" * 5000, "1\x00"])
def test_what_only_resembles_a_whole_number_is_none(text: str) -> None:
    assert texts.whole_number(text) is None
