"""Databases on a file system that takes no change."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from pathlib import Path

from ovsnet import ovsdb
from ovsnet.errors import PeerError
from ovsnet.node.raft import LEADER, STOPPED, Cluster, parse_cluster
from ovsnet.ovsdb.operations import update
from ovsnet.sandbox.daemons import Layout
from ovsnet.sandbox.node import Sandbox
from tests.faults.central import central_member
from tests.faults.daemons import RESTARTED, WITHOUT_OVSDB
from tests.faults.fault import Scene, Steps, fault
from tests.faults.southbound import UNCONNECTED
from tests.patience import PATIENCE

SIZE = "3m"


def small_disk(node: Sandbox, server: str, file: str, size: str = SIZE) -> contextlib.AbstractAsyncContextManager[Path]:
    """The database of a server lies on a small file system of its own, for as long as the block lasts. Needs root."""
    return _own_disk(node, server, file, "-t", "tmpfs", "-o", f"size={size}", "ovsnet")


@contextlib.asynccontextmanager
async def breakable_disk(node: Sandbox, server: str, file: str) -> AsyncIterator[Path]:
    """The same on a file system that ``stop_at_an_error`` can make read-only. Needs what ``has_ext4`` asks for."""
    async with _own_disk(node, server, file, *await _ext4_image(node.directory / "ext4")) as disk:
        yield disk


@contextlib.asynccontextmanager
async def _own_disk(node: Sandbox, server: str, file: str, *mounted: str) -> AsyncIterator[Path]:
    """``mounted``: what mount(8) is told to mount."""
    disk = Layout(node.directory).dbdir
    held = node.directory / f"{file}.held"
    await node.stop(server)
    shutil.copy(disk / file, held)
    await _run("mount", *mounted, str(disk))
    try:
        shutil.move(held, disk / file)
        await node.start(server)
        yield disk
        await node.stop(server)
        shutil.copy(disk / file, held)
    finally:
        # Lazily: a server that we could not stop has files open there.
        await _run("umount", "--lazy", str(disk))
    shutil.move(held, disk / file)
    await node.start(server)


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0, command


@contextlib.contextmanager
def filled(disk: Path) -> Iterator[None]:
    """No byte is free."""
    filler = disk / "filler"
    try:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass
        yield
    finally:
        filler.unlink()


def _on_a_small_disk(server: str, file: str) -> Callable[[Scene], Steps]:
    async def view(scene: Scene) -> Steps:
        async with small_disk(scene.node, server, file):
            yield

    return view


async def _full(scene: Scene) -> Steps:
    with filled(Layout(scene.node.directory).dbdir):
        yield


for _server, _component in {"ovsdb-server": "ovsdb", "ovn-sb": "southbound"}.items():
    _file = "conf.db" if _component == "ovsdb" else "ovn-sb.db"
    fault(
        "database-not-writable",
        name=f"{_component}-disk-full",
        about=f"The file system of {_file} is full.",
        view=_on_a_small_disk(_server, _file),
        passing=f"{_component}-down {RESTARTED[_component]} vswitchd-slow {_component}-slow",
        hidden_by=WITHOUT_OVSDB,
        needs="root",
        deadline=12,
    )(_full)


async def miss_a_change(node: Sandbox, disk: Path, server: str) -> None:
    """The southbound changes while there is no room for it in that member's file, and again when there is room."""

    async def entries() -> int:
        return (await _member(node, server)).entries

    async with asyncio.timeout(PATIENCE):
        await _made_leader(node, server, leads=False)
        with filled(disk):
            before = await entries()
            # More than what is left of the file's last page.
            await _change(node, "set", "SB_Global", ".", f"external_ids:filler={'x' * 5000}")
            while await entries() == before:  # noqa: ASYNC110 (it is another process that writes)
                await asyncio.sleep(0.05)
        await _change(node, "remove", "SB_Global", ".", "external_ids", "filler")
        while await _is_whole(node, disk / f"{server}.db"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def stop_to_write(node: Sandbox, disk: Path, server: str) -> None:
    """The southbound is to change while its leader, which is that member, has no room for it."""
    async with asyncio.timeout(PATIENCE):
        await _made_leader(node, server, leads=True)
        with filled(disk):
            await _change(node, "set", "SB_Global", ".", f"external_ids:filler={'x' * 5000}")
            while (await _member(node, server)).status != STOPPED:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def _made_leader(node: Sandbox, server: str, *, leads: bool) -> None:
    """Freeze whichever leads until another one does, until the elections have left it in that part."""
    await node.run("ovsdb-client", "wait", f"unix:{_names(node, server)}.sock", "OVN_Southbound", "connected")
    while ((leader := await _leader(node, SERVERS)) == server) is not leads:
        await node.freeze(leader)
        await _leader(node, SERVERS - {leader})
        await node.thaw(leader)


async def _leader(node: Sandbox, servers: Collection[str]) -> str:
    """The one of these that leads, once one does."""
    while True:
        for name in servers:
            if (await _member(node, name)).role == LEADER:
                return name
        await asyncio.sleep(0.05)


SERVERS = frozenset(f"ovn-sb{number}" for number in (1, 2, 3))


async def _member(node: Sandbox, server: str) -> Cluster:
    control = f"{_names(node, server)}.ctl"
    return parse_cluster(await node.run("ovs-appctl", "-t", control, "cluster/status", "OVN_Southbound"))


def _names(node: Sandbox, server: str) -> str:
    return f"{node.rundir}/{server.replace('ovn-sb', 'ovnsb')}_db"


async def _change(node: Sandbox, *words: str) -> None:
    """Write to the southbound. While its members elect a leader ovn-sbctl gives up: it asks each of them once."""
    while True:
        try:
            await node.run("ovn-sbctl", *words)
        except PeerError as error:
            if "database connection failed" not in str(error):
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def _is_whole(node: Sandbox, file: Path) -> bool:
    """Whether a server would load it."""
    try:
        await node.run("ovsdb-tool", "check-cluster", str(file))
    except PeerError:
        return False
    return True


async def write_anew(node: Sandbox, control: str) -> None:
    """Have a server compact its file."""
    await node.run("ovs-appctl", "-t", f"{node.rundir}/{control}", "ovsdb-server/compact")


async def _member_on_a_small_disk(scene: Scene) -> Steps:
    async with small_disk(scene.node, "ovn-sb1", "ovn-sb1.db"):
        await scene.node.wait_ready()
        async with contextlib.asynccontextmanager(central_member)(scene):
            yield


@fault(
    "database-incomplete",
    shape="raft",
    view=_member_on_a_small_disk,
    passing=f"{UNCONNECTED} southbound-slow database-not-writable",
    needs="root",
    deadline=24,
)
async def member_missed_a_change_when_its_disk_was_full(scene: Scene) -> Steps:
    """This host serves the southbound with two others; its disk was full when the southbound changed, and has room
    again."""
    await miss_a_change(scene.node, Layout(scene.node.directory).dbdir, "ovn-sb1")
    yield
    await write_anew(scene.node, "ovnsb1_db.ctl")


DISK = ("-o", "loop,errors=remount-ro")


def has_ext4() -> bool:
    """Whether file systems can be made and broken here."""
    root = os.geteuid() == 0 and os.access("/dev/loop-control", os.W_OK) and os.access("/sys/fs/ext4", os.W_OK)
    return root and shutil.which("mkfs.ext4") is not None


async def _ext4_image(image: Path) -> tuple[str, ...]:
    """Make one in that file; what mount(8) is told to mount."""
    with image.open("wb") as file:
        file.truncate(16 << 20)
    await _run("mkfs.ext4", "-q", str(image))
    return (*DISK, str(image))


@contextlib.asynccontextmanager
async def ext4(image: Path, disk: Path) -> AsyncIterator[None]:
    """A new one is mounted there for as long as the block lasts."""
    await _run("mount", *await _ext4_image(image), str(disk))
    try:
        yield
    finally:
        await _run("umount", "--lazy", str(disk))


def stop_at_an_error(disk: Path) -> None:
    """The kernel finds an error in the ext4 file system that is mounted there."""
    device = os.stat(disk).st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    assert name.startswith("loop"), name
    Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("1")


async def _on_ext4(scene: Scene) -> Steps:
    mounted = await _ext4_image(scene.scratch / "ext4")
    async with _own_disk(scene.node, "ovsdb-server", "conf.db", *mounted):
        yield


@fault(
    "database-not-writable",
    view=_on_ext4,
    passing=f"ovsdb-down {RESTARTED['ovsdb']} vswitchd-slow ovsdb-slow",
    needs="ext4",
    deadline=12,
)
async def file_system_became_read_only(scene: Scene) -> Steps:
    """The kernel found an error in the ext4 file system of conf.db, and writes there no more, as of a broken disk."""
    disk = Layout(scene.node.directory).dbdir
    stop_at_an_error(disk)
    yield
    await scene.node.stop("ovsdb-server")
    contents = (disk / "conf.db").read_bytes()
    await _run("umount", str(disk))
    await _run("mount", *DISK, str(scene.scratch / "ext4"), str(disk))
    (disk / "conf.db").write_bytes(contents)
    await scene.node.start("ovsdb-server")


KEPT, CHANGED, CHANGES = 2_500_000, 90_000, 105
"""Bytes of data, and of each of so many changes: with these a log is due, and what is left of 13 MB is less than the
data take."""


async def overgrow(node: Sandbox) -> None:
    """Give the northbound so much data, and so many changes since it was compacted, that it is due again."""
    async with ovsdb.connect(f"unix:{node.rundir}/ovnnb_db.sock") as session:

        async def write(row: dict[str, object]) -> None:
            await session.transact("OVN_Northbound", update("NB_Global", row), timeout=PATIENCE)

        await write({"external_ids": {"kept": "k" * KEPT}})
        await compact(node)
        for number in range(CHANGES):
            await write({"name": f"{number}" + "c" * CHANGED})


async def compact(node: Sandbox) -> None:
    """Have the northbound's server do at once what it does after 10 to 20 minutes."""
    await node.run("ovs-appctl", "-t", f"{node.rundir}/ovnnb_db.ctl", "ovsdb-server/compact", timeout=PATIENCE)


async def resized(disk: Path, size: str) -> None:
    """Give a small file system more room, or less."""
    await _run("mount", "-o", f"remount,size={size}", str(disk))


NO_ROOM, ROOM = "13m", "64m"


async def _room_for_one(scene: Scene) -> Steps:
    scene.environment["OVSNET_COMPACTED_WITHIN"] = "1"
    async with small_disk(scene.node, "ovn-nb", "ovn-nb.db", size=NO_ROOM):
        yield


@fault(
    "log-not-compacted",
    view=_room_for_one,
    passing="nb-down nb-slow database-socket-missing northd-not-connected northd-slow northd-behind controller-behind",
    needs="root",
    deadline=90,
)
async def northbound_without_room_to_compact(scene: Scene) -> Steps:
    """The northbound has grown for want of a compaction, for which its file system has no room."""
    await overgrow(scene.node)
    yield
    disk = Layout(scene.node.directory).dbdir
    await resized(disk, ROOM)
    await compact(scene.node)
    await resized(disk, NO_ROOM)


def _torn(contents: bytes) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        file = Layout(scene.node.directory).dbdir / "conf.db"
        await scene.node.kill("ovsdb-server")
        whole = file.read_bytes()
        file.write_bytes(contents)
        yield
        file.write_bytes(whole)
        await scene.node.start("ovsdb-server")

    return steps


for _contents, _name in ((b"", "empty"), (bytes(4096), "of-zeros")):
    fault(
        "ovsdb-down",
        name=f"database-file-{_name}",
        about=f"ovsdb-server got SIGKILL, and its database file is {_name.replace('-', ' ')}: it cannot start again.",
        passing=RESTARTED["ovsdb"],
    )(_torn(_contents))
