"""``ovsnet tune render``, as a user meets it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Ovsnet


@pytest.mark.parametrize("form", ["agent", "daemonset", "ansible", "commands"])
def test_render_prints_each_form(ovsnet: Ovsnet, form: str) -> None:
    image = ["--image", "registry.example/ovsnet:1"] if form == "daemonset" else []
    ended = ovsnet("tune", "render", form, "--profile", "ovn-kubernetes", "--set", "max-idle=20000", *image)
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


def test_daemonset_needs_an_image_that_nodes_can_get(ovsnet: Ovsnet) -> None:
    words = ("tune", "render", "daemonset", "--profile", "ovn-kubernetes")
    assert [ovsnet(*words, *more).code for more in ([], ["--image", "ovsnet"])] == [2, 2]
    assert "imagePullPolicy: Never" in ovsnet(*words, "--image", "ovsnet", "--local-image").out
