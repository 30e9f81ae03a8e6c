"""``ovsnet tune render``, as a user meets it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Ovsnet


@pytest.mark.parametrize("form", ["agent", "daemonset", "ansible", "commands"])
def test_render_prints_each_form(ovsnet: Ovsnet, form: str) -> None:
    ended = ovsnet("tune", "render", form, "--profile", "ovn-kubernetes", "--set", "max-idle=20000")
    assert (ended.code, ended.err) == (0, "")
    assert "max-idle" in ended.out


def test_render_refuses_what_apply_refuses(ovsnet: Ovsnet) -> None:
    assert ovsnet("tune", "render", "agent").code == 2
    refused = ovsnet("tune", "render", "ansible", "--set", "flow-restore-wait=true")
    assert (refused.code, refused.out) == (2, "")
    assert "--force insists" in refused.err
    forced = ovsnet("tune", "render", "ansible", "--set", "flow-restore-wait=true", "--force")
    assert '"--force"' in forced.out
    assert ovsnet("tune", "render", "agent", "--set", "no-such-knob=1").code == 2
