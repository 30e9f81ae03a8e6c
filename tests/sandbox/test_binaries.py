"""Where the programs come from."""

from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox import binaries


@pytest.fixture(scope="session")
def found() -> binaries.Binaries:
    return binaries.find()


def test_every_program_and_schema_is_found(found: binaries.Binaries) -> None:
    assert all(found.path(name).is_file() for name in binaries.PROGRAMS)
    assert all(found.schema(f"{name}.ovsschema").is_file() for name in ("vswitch", "ovn-nb", "ovn-sb"))


def test_programs_run_in_the_environment(found: binaries.Binaries) -> None:
    assert found.version("ovs-vswitchd").startswith("ovs-vswitchd (Open vSwitch) ")
    assert found.version("ovn-controller").startswith("ovn-controller ")


def test_path_wins_when_all_programs_are_on_it(
    found: binaries.Binaries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    schemas = tmp_path / "share/openvswitch"
    schemas.mkdir(parents=True)
    (schemas / "vswitch.ovsschema").touch()
    for name in binaries.PROGRAMS:
        (tmp_path / "bin" / name).symlink_to(found.path(name))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    on_path = binaries.find(tmp_path / "cache")
    assert on_path.source == "PATH"
    assert on_path.path("ovs-vsctl") == tmp_path / "bin/ovs-vsctl"
    assert on_path.schema("vswitch.ovsschema") == schemas / "vswitch.ovsschema"
    assert not (tmp_path / "cache").exists()


def test_machine_that_can_have_none_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_PROGRAM_DIRECTORIES_OF_HOST", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnfitEnvironment, match=r"Not on PATH: ovsdb-server.*no apt-get") as caught:
        binaries.find(tmp_path / "cache")
    assert "openvswitch-switch, ovn-central and ovn-host" in caught.value.remedy


def test_unknown_program_or_schema_is_an_error_of_ours(found: binaries.Binaries) -> None:
    with pytest.raises(UnfitEnvironment, match="no ovs-nonsense"):
        found.path("ovs-nonsense")
    with pytest.raises(UnfitEnvironment, match=r"no nonsense\.ovsschema"):
        found.schema("nonsense.ovsschema")


def test_libraries_of_an_unpacked_tree_are_in_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usr/lib/x86_64-linux-gnu").mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    monkeypatch.setenv("PATH", "/bin")
    environment = binaries.from_root(tmp_path).environment()
    assert environment["LD_LIBRARY_PATH"] == str(tmp_path / "usr/lib/x86_64-linux-gnu")
    assert environment["PATH"] == f"{tmp_path / 'usr/bin'}:/bin"
