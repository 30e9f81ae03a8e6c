"""``python -m release.audit``: look the pins up with pip-audit, in the advisories of the package index.

Exit code 1 when a pin has a known vulnerability, which is printed. Where the index serves no advisories, it prints NOT
RUN and exits with 0: that is neither a clean result nor a finding.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import click

from release.pins import pins


def audit() -> int:
    """Look up every pin; the exit code."""
    with tempfile.TemporaryDirectory() as place:
        try:
            program = _pip_audit(Path(place, "venv"))
        except subprocess.CalledProcessError as error:
            return _not_run(f"pip-audit cannot be installed: {_last_line(error.stderr)}")
        listed = Path(place, "pins.txt")
        listed.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in pins().values()))
        argv = [str(program), f"--requirement={listed}", "--no-deps", "--disable-pip", "--format=json"]
        argv += ["--progress-spinner=off"]
        done = subprocess.run(argv, capture_output=True, text=True)
    return verdict(done.returncode, done.stdout, done.stderr)


def verdict(code: int, stdout: str, stderr: str) -> int:
    """The exit code for what pip-audit printed. Without a JSON document it got no advisories."""
    try:
        found = json.loads(stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _not_run(f"pip-audit got no advisories: {_last_line(stderr)}")
    bad = [each for each in found if each.get("vulns")]
    unknown = [each["name"] for each in found if "skip_reason" in each]
    if len(unknown) == len(found):
        return _not_run(f"the index has no advisories for any of {len(found)} pins.")
    for each in bad:
        for flaw in each["vulns"]:
            fixed = ", ".join(flaw.get("fix_versions", ())) or "no version yet"
            click.echo(f"{each['name']} {each['version']}: {flaw['id']}, fixed in {fixed}")
    if unknown:
        click.echo(f"NOT RUN for {', '.join(unknown)}: not in the index.", err=True)
    click.echo(f"{len(found) - len(unknown)} pins looked up, {len(bad)} with a known vulnerability.")
    return 1 if bad or (code and not unknown) else 0


def _pip_audit(place: Path) -> Path:
    """Install pip-audit in a temporary venv: its own dependencies may differ from the pins."""
    venv.create(place, with_pip=True)
    argv = [str(place / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "pip-audit"]
    subprocess.run(argv, check=True, capture_output=True, text=True)
    return place / "bin/pip-audit"


def _not_run(why: str) -> int:
    click.echo(f"NOT RUN: {why}", err=True)
    return 0


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]


if __name__ == "__main__":
    sys.exit(audit())
