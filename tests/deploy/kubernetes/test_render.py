"""``ovsnet kubernetes render``: the user's settings, where the user wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from ovsnet.cli import main
from ovsnet.deploy.kubernetes.files import PIECES, SCRIPTS, WITHOUT_IMAGE, rendered

IMAGE = "--image=registry.example/ovsnet:1"


class Ovsnet(Protocol):
    """Runs a command; its exit code, stdout and stderr."""

    def __call__(self, *arguments: str) -> tuple[int, str, str]: ...


@pytest.fixture
def ovsnet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ovsnet:
    for variable in ("OVSNET_CONFIG", "OVSNET_BRIDGE", "OVSNET_LISTEN"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        code = ended.value.code
        assert isinstance(code, int)
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("piece", PIECES)
def test_every_piece_is_printed(ovsnet: Ovsnet, piece: str) -> None:
    code, out, err = ovsnet("kubernetes", "render", piece, IMAGE)
    assert (code, err) == (0, "")
    documents: list[Any] = list(yaml.safe_load_all(out))
    assert all(document["kind"] and document["metadata"]["namespace"] == "kube-system" for document in documents)


def test_alerts_link_to_the_runbook_that_people_reach(ovsnet: Ovsnet) -> None:
    out = ovsnet("kubernetes", "render", "prometheus", "--runbook-url=https://host.example/runbook.md#")[1]
    (rule,) = (each for each in yaml.safe_load_all(out) if each["kind"] == "PrometheusRule")
    links = {each["annotations"]["runbook_url"] for each in rule["spec"]["groups"][0]["rules"]}
    assert {"https://host.example/runbook.md#vswitchd-hung", "https://host.example/runbook.md"} < links
    assert all(link.startswith("https://host.example/") for link in links)


def test_choices_of_the_user_are_in_it(ovsnet: Ovsnet) -> None:
    flags = (
        "--image=here/ovsnet:1",
        "--namespace=net",
        "--user=998",
        "--no-host-pid",
        "--bridge=br0",
        "--dead-after=9",
    )
    document: Any = yaml.safe_load(ovsnet("kubernetes", "render", *flags)[1])
    pod = document["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (document["metadata"]["namespace"], container["image"], pod["hostPID"]) == ("net", "here/ovsnet:1", False)
    assert container["securityContext"]["runAsUser"] == 998
    assert {each["name"]: each["value"] for each in container["env"]} == {
        "OVSNET_BRIDGE": "br0",
        "OVSNET_DEAD_AFTER": "9.0",
    }


def test_agent_in_kube_ovns_pods_is_the_user_who_runs_open_vswitch_there(ovsnet: Ovsnet) -> None:
    def user(*flags: str) -> object:
        document: Any = yaml.safe_load(ovsnet("kubernetes", "render", "kube-ovn", IMAGE, *flags)[1])
        return document["spec"]["template"]["spec"]["containers"][1]["securityContext"]["runAsUser"]

    assert (user(), user("--user=0")) == (65534, 0)


def test_patch_for_dpdk_is_the_one_of_its_daemonset_and_of_its_user(ovsnet: Ovsnet) -> None:
    of_dpdk, plain = (
        yaml.safe_load(ovsnet("kubernetes", "render", piece, IMAGE, "--user=0")[1])
        for piece in ("kube-ovn-dpdk", "kube-ovn")
    )
    assert (of_dpdk["metadata"].pop("name"), plain["metadata"].pop("name")) == ("ovs-ovn-dpdk", "ovs-ovn")
    assert of_dpdk == plain
    assert yaml.safe_load(ovsnet("kubernetes", "render", "kube-ovn-dpdk", IMAGE)[1])["spec"] == of_dpdk["spec"]


def test_program_for_helm_takes_the_user_from_the_chart(ovsnet: Ovsnet) -> None:
    code, out, err = ovsnet("kubernetes", "render", "kube-ovn-helm", IMAGE, "--user=0")
    assert (code, out, "from the chart" in err) == (2, "", True)


def test_tree_for_kustomize_is_the_one_of_the_source(ovsnet: Ovsnet, tmp_path: Path) -> None:
    assert ovsnet("kubernetes", "render", IMAGE, "--out", str(tmp_path))[0] == 0
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(rendered())
    written = (tmp_path / "base/daemonset.yaml").read_text()
    assert written == rendered()["base/daemonset.yaml"].replace("ovsnet:latest", "registry.example/ovsnet:1")


def test_directory_that_cannot_be_made_is_told_in_a_sentence(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, err = ovsnet("kubernetes", "render", IMAGE, "--out", str(tmp_path / "file"))
    assert (code, err.startswith("ovsnet: Cannot write ")) == (3, True)


RUN = {*PIECES, *SCRIPTS} - WITHOUT_IMAGE


@pytest.mark.parametrize("words", [*sorted((piece,) for piece in RUN if piece != "bench-storm"), ("--out", "here")])
def test_what_runs_a_container_needs_its_image(ovsnet: Ovsnet, words: tuple[str, ...]) -> None:
    code, out, err = ovsnet("kubernetes", "render", *words)
    assert (code, out) == (2, "")
    assert "There is no public image of ovsnet" in err
    assert "--image REGISTRY/ovsnet:TAG" in err


@pytest.mark.parametrize("piece", sorted(WITHOUT_IMAGE))
def test_what_runs_no_container_needs_none(ovsnet: Ovsnet, piece: str) -> None:
    code, out, _ = ovsnet("kubernetes", "render", piece)
    assert (code, "image:" in out) == (0, False)


@pytest.mark.parametrize("piece", sorted(RUN - {"bench-storm"}))
def test_image_that_was_loaded_into_the_nodes_is_never_pulled(ovsnet: Ovsnet, piece: str) -> None:
    code, out, _ = ovsnet("kubernetes", "render", piece, "--image=ovsnet:latest", "--local-image")
    patches = 2 if piece == "kube-ovn-helm" else 1  # one of them for the pods with DPDK
    assert (code, out.count("image: ovsnet:latest"), out.count("imagePullPolicy: Never")) == (0, patches, patches)
