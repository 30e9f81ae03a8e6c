"""Databases over TLS, and files for it that do not fit."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

from ovsnet.health.cause import State
from ovsnet.io.tls import Tls
from ovsnet.sandbox import binaries
from ovsnet.sandbox.pki import certify
from tests.faults.certificates import grown_old
from tests.faults.fault import LATER, Scene, Steps, fault
from tests.faults.programs import tls_door


async def _over_tls(scene: Scene) -> Steps:
    """The observers ask the database over TLS, with the right files."""
    good = scene.scratch / "tls"
    good.mkdir()
    files = _files(good)
    certify(files, binaries.find())
    async with tls_door(scene.node.rundir / "db.sock", _serving(files)) as port:
        scene.flags |= {"database": f"ssl:127.0.0.1:{port}"}
        scene.flags |= {"tls-key": files.key, "tls-certificate": files.certificate, "tls-ca": files.ca}
        yield


def _files(directory: Path) -> Tls:
    return Tls(*(str(directory / name) for name in ("node.key", "node.pem", "ca.pem")))


def _another_ca(scene: Scene) -> str:
    """One that signed none of the certificates in use."""
    other = scene.scratch / "other"
    other.mkdir(exist_ok=True)
    certify(_files(other), binaries.find())
    return _files(other).ca


def _serving(files: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files.certificate, files.key)
    return context


@fault("healthy", view=_over_tls, passing="process-unseen")
async def database_over_tls(scene: Scene) -> Steps:
    """The observers ask the database over TLS."""
    yield


def _flags(**flags: str) -> Callable[[Scene], Steps]:
    """Observers that start within the fault have these flags; an empty one is left out."""

    async def steps(scene: Scene) -> Steps:
        before = dict(scene.flags)
        for flag, value in flags.items():
            scene.flags[flag.replace("_", "-")] = value
        scene.flags = {flag: value for flag, value in scene.flags.items() if value}
        yield
        scene.flags = before

    return steps


@fault("tls-failed", view=_over_tls, observers=LATER)
async def database_over_tls_with_a_wrong_ca(scene: Scene) -> Steps:
    """The observers trust another certificate authority than the database's."""
    before = scene.flags["tls-ca"]
    scene.flags["tls-ca"] = _another_ca(scene)
    yield
    scene.flags["tls-ca"] = before


@fault("tls-failed", view=_over_tls, observers=LATER)
async def database_over_tls_with_an_expired_certificate(scene: Scene) -> Steps:
    """The observers' certificate ended yesterday."""
    directory = scene.scratch / "tls"
    expired = directory / "expired.pem"
    signer = ("-CA", str(directory / "ca.pem"), "-CAkey", str(directory / "ca.key"), "-set_serial", "2")
    request = ("x509", "-req", "-in", str(directory / "ca.req"), *signer, "-days", "-1", "-out", str(expired))
    subprocess.run(["openssl", *request], check=True, capture_output=True)  # noqa: ASYNC221 - it takes 10 ms
    before = scene.flags["tls-certificate"]
    scene.flags["tls-certificate"] = str(expired)
    yield
    scene.flags["tls-certificate"] = before


fault(
    "misconfigured",
    name="database-over-tls-without-files",
    view=_over_tls,
    observers=LATER,
    about="The database's address begins with ssl:, and no certificate was named.",
)(_flags(tls_key="", tls_certificate="", tls_ca=""))
fault(
    "misconfigured",
    name="database-over-tls-with-files-that-are-missing",
    view=_over_tls,
    observers=LATER,
    about="The certificate that was named does not exist.",
)(_flags(tls_certificate="/nonexistent/node.pem"))
fault(
    "name-unresolved",
    name="database-on-an-unknown-host",
    observers=LATER,
    about="The database's address names a host that DNS does not know.",
)(_flags(database="tcp:no-such-host.invalid:6640"))


async def _southbound_over_tls(scene: Scene) -> Steps:
    """ovn-controller and the observers ask the southbound over TLS, with the right files."""
    good = scene.scratch / "tls"
    good.mkdir()
    files = _files(good)
    certify(files, binaries.find())
    async with tls_door(scene.node.rundir / "ovnsb_db.sock", _serving(files)) as port:
        await scene.vsctl("set-ssl", files.key, files.certificate, files.ca)
        await scene.set(f"ovn-remote=ssl:127.0.0.1:{port}")
        scene.flags |= {"tls-key": files.key, "tls-certificate": files.certificate, "tls-ca": files.ca}
        yield
        await scene.set(f"ovn-remote={scene.node.southbound}")
        await scene.vsctl("del-ssl")


@fault("tls-failed", state=State.DEGRADED, view=_southbound_over_tls, observers=LATER)
async def southbound_over_tls_with_a_wrong_ca(scene: Scene) -> Steps:
    """The observers trust another certificate authority than the southbound's; ovn-controller is connected."""
    before = scene.flags["tls-ca"]
    scene.flags["tls-ca"] = _another_ca(scene)
    yield
    scene.flags["tls-ca"] = before


@fault("certificate-expires", view=_southbound_over_tls, passing="controller-not-connected", deadline=20)
async def certificate_in_its_last_tenth(scene: Scene) -> Steps:
    """ovn-controller is connected over TLS, and of the life of the certificate that it shows, a tenth is left."""
    with grown_old(_files(scene.scratch / "tls")):
        yield
