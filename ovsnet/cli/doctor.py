"""``ovsnet doctor``: is this host fit for Open vSwitch and OVN?"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from ovsnet.cli.completers import files
from ovsnet.cli.options import with_settings
from ovsnet.cli.terminal import marked, say, styled
from ovsnet.config import Group, Settings
from ovsnet.doctor import Finding, Host, Live, Severity, examine
from ovsnet.doctor.finding import Repair
from ovsnet.doctor.firewall import PORTS
from ovsnet.doctor.fixes import repair
from ovsnet.doctor.storage import with_stored_settings
from ovsnet.errors import UsageError
from ovsnet.io.nf_tables import input_chains
from ovsnet.node.gather import gather
from ovsnet.node.installation import find_rundir
from ovsnet.node.layouts import LAYOUTS, Layout
from ovsnet.node.rundir import Rundir
from ovsnet.report.reading import SavedFindings, heading, read_report
from ovsnet.texts import for_line

MOST_UNSEEN = 0.5
"""The share of examinations that may have no answer on a host that is called fit. Before the very first start there is
neither a daemon nor a database, which leaves two fifths of them unanswered."""

AS_STATUS = {
    Severity.FATAL: "failed",
    Severity.WARNING: "slow",
    Severity.UNSEEN: "unknown",
    Severity.NOTE: "skipped",
    Severity.OK: "ok",
}
"""The status whose sign and colour each severity has on a terminal."""

NARROWEST = 40
"""Columns that sentences get on the narrowest terminal."""


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely and undone, and report what was done.")
@click.option(
    "--root",
    default="/",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Examine the host whose file system is mounted at DIR; --rundir is then relative to DIR.",
)
@click.option("--from", "saved", default="", metavar="REPORT", shell_complete=files,
              help="Show the findings as of when this `ovsnet report` archive was written.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(Group.NODE, Group.TLS)
def doctor(fix: bool, root: Path, saved: str, as_json: bool, settings: Settings) -> None:
    """Examine the host: kernel, modules, run directory, threads, limits, clock, versions.

    Exit code 0 when there is no warning, 1 for a warning or worse, 3 when too little could be seen to be sure.

    \b
    Examples:
      ovsnet doctor
      ovsnet doctor --fix
      ovsnet doctor --json
    """
    root = root.resolve()
    if saved:
        if fix or root != Path("/"):
            raise UsageError("--from reads a report, so neither --fix nor --root goes with it.", remedy="Leave it out.")
        findings = _saved(saved, as_json=as_json)
        _show(findings, [], as_json=as_json, fix=False)
        raise click.exceptions.Exit(exit_code(findings))
    if fix and root != Path("/"):
        raise UsageError("--fix repairs this host only, not the one below --root.", remedy="Run it there.")
    findings = examined(root, settings)
    repairs = list(repair(findings)) if fix else []
    if repairs:
        findings = examined(root, settings)
    _show(findings, repairs, as_json=as_json, fix=fix)
    raise click.exceptions.Exit(exit_code(findings))


def _saved(path: str, *, as_json: bool) -> list[Finding]:
    """The findings of a report."""
    report = read_report(path, sys.stdin.buffer)
    _, known = report.document("doctor", SavedFindings)
    for line in () if as_json else heading(report):
        say(for_line(line))
    return [
        Finding(Severity(each.severity), each.summary, each.remedy, each.evidence, code=each.code)
        for each in known.findings
    ]


def exit_code(findings: list[Finding]) -> int:
    """0 if nothing matters, 1 if something does, 3 if nothing does but too much could not be seen."""
    if any(finding.severity.matters for finding in findings):
        return 1
    hidden = {finding.code for finding in findings if finding.severity is Severity.UNSEEN}
    # Without the kernel's release there is no /proc, and what is left is not an examination of a running host.
    blind = "kernel.release" in hidden or len(hidden) > MOST_UNSEEN * len({finding.code for finding in findings})
    return 3 if blind else 0


def examined(root: Path, settings: Settings) -> list[Finding]:
    """Every examination of the host below ``root``."""
    here, inside = _rundirs(root, settings)
    live: Live = asyncio.run(gather(here, database=settings.database, tls=settings.tls))
    host = Host(root, inside, now=time.time())
    live = with_stored_settings(host, replace(live, firewall=input_chains(PORTS.values())))
    return examine(host, live)


def _rundirs(root: Path, settings: Settings) -> tuple[Rundir, Rundir]:
    """The run directories as paths of ours, and as paths below the root. Raises UnfitEnvironment."""
    if root == Path("/"):
        found = find_rundir(settings.rundir, settings.ovn_rundir, os.environ)
        return found, found
    host = Host(root)
    rundir, ovn_rundir = (str(host.locate(each)) if each else "" for each in (settings.rundir, settings.ovn_rundir))
    # OVS_RUNDIR and OVN_RUNDIR are for the processes of this container, not for the host below the root.
    found = find_rundir(rundir, ovn_rundir, {}, [_below(host, layout) for layout in LAYOUTS], proc=None)
    return found, found.relative_to(root)


def _below(host: Host, layout: Layout) -> Layout:
    ovs, ovn, database = (str(host.locate(each)) for each in (layout.ovs, layout.ovn, layout.database))
    return Layout(layout.name, ovs, ovn, database)


def _show(findings: list[Finding], repairs: list[Repair], *, as_json: bool, fix: bool) -> None:
    if as_json:
        say(json.dumps(findings_document(findings, repairs), indent=2))
        return
    for line in repair_lines(repairs) if fix else ():
        say(for_line(line))
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    say("\n".join(lines(findings, columns)))
    say(_tally(findings))


def findings_document(findings: Sequence[Finding], repairs: Sequence[Repair]) -> dict[str, object]:
    """As ``--json`` prints it."""
    return {"findings": [_finding_document(each) for each in findings], "steps": msgspec.to_builtins(repairs)}


def _finding_document(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity.value,
        "summary": finding.summary,
        "remedy": finding.remedy,
        "evidence": list(finding.evidence),
        "mendable": finding.fix is not None,
        "code": finding.code,
    }


def told_once(findings: list[Finding]) -> list[Finding]:
    """What several examinations could not see for the same reason is reported once, with the names of the others."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for number, each in enumerate(findings):
        key = (each.summary, each.remedy) if each.severity is Severity.UNSEEN else (str(number), "")
        groups.setdefault(key, []).append(each)
    return [_with_the_others(first, [each.code for each in rest]) for first, *rest in groups.values()]


def _with_the_others(finding: Finding, codes: list[str]) -> Finding:
    others = (f"the same for {', '.join(dict.fromkeys(codes))}",) if codes else ()
    return replace(finding, evidence=(*finding.evidence, *others))


def lines(findings: list[Finding], columns: int = 0) -> list[str]:
    """Severity, code and sentence; below, what to do and what it rests on. On a terminal of that
    many ``columns`` they are wrapped, and severities are apart."""
    findings = told_once(findings)
    width = max(len(finding.code) for finding in findings)
    indent = " " * (width + (13 if columns else 11))

    def fold(text: str, hanging: str = "") -> list[str]:
        room = max(columns - len(indent), NARROWEST)
        return textwrap.wrap(text, room, subsequent_indent=hanging, break_on_hyphens=False) if columns else [text]

    found: list[str] = []
    for before, finding in zip([None, *findings], findings, strict=False):
        if columns and before is not None and before.severity is not finding.severity:
            found.append("")
        first, *rest = fold(for_line(finding.summary))
        found.append(f"{marked(AS_STATUS[finding.severity], f'{finding.severity:8}')} {finding.code:{width}}  {first}")
        found += [f"{indent}{each}" for each in rest]
        if finding.severity is Severity.OK:
            continue
        found += [f"{indent}{styled(each, bold=True)}" for each in fold(f"-> {for_line(finding.remedy)}", "   ")]
        for evidence in finding.evidence:
            found += [f"{indent}{styled(each, dim=True)}" for each in fold(f"   {for_line(evidence)}", "   ")]
    return found


def repair_lines(repairs: list[Repair]) -> list[str]:
    """What ``--fix`` did, how to undo it, and what it could not do and why."""
    found = []
    for each in repairs:
        found.append(f"done: {each.what}" if each.done else f"not done: {each.what}: {each.why}")
        if each.undo:
            found.append(f"  to undo: {each.undo}")
    return found or ["There is nothing that --fix can repair."]


def _tally(findings: list[Finding]) -> str:
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    return ", ".join(f"{count} {severity}" for severity, count in counts.items() if count)
