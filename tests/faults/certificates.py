"""Certificates that are not valid any more, or not for long."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ovsnet.io.tls import Tls
from ovsnet.sandbox import binaries
from ovsnet.sandbox.pki import certify
from ovsnet.sandbox.proc import free_ports
from tests.faults.fault import Scene, Steps, fault


def certified(directory: Path, days: int) -> Tls:
    """Files whose certificate ends ``days`` days after it begins, which is now; their CA lasts longer."""
    directory.mkdir(exist_ok=True)
    files = Tls(*(str(directory / name) for name in ("node.key", "node.pem", "ca.pem")))
    certify(files, binaries.find())
    renew(files, days)
    return files


def renew(files: Tls, days: int) -> None:
    """Their CA signs the certificate again; the key stays."""
    request, key = (str(Path(files.ca).with_suffix(suffix)) for suffix in (".req", ".key"))
    signer = ("-CA", files.ca, "-CAkey", key, "-set_serial", "2", "-days", str(days))
    signing = ("openssl", "x509", "-req", "-in", request, *signer, "-out", files.certificate)
    subprocess.run(signing, check=True, capture_output=True)


@contextlib.contextmanager
def grown_old(files: Tls) -> Iterator[None]:
    """Of the certificate's life less than a tenth is left. The key's file is written again, too, for without that no
    daemon loads it."""
    good = Path(files.certificate).read_bytes()
    _sign_eight_days_ago(files)
    os.utime(files.key)
    yield
    Path(files.certificate).write_bytes(good)
    os.utime(files.key)


def _sign_eight_days_ago(files: Tls) -> None:
    directory = Path(files.ca).parent
    config = directory / "ca.cnf"
    config.write_text(AUTHORITY.format(directory=directory))
    (directory / "index.txt").write_text("")
    now = time.time()
    begins, ends = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(now + days * 86400)) for days in (-8, 0.5))
    dates = ("-startdate", begins, "-enddate", ends)
    places = ("-config", str(config), "-in", str(directory / "ca.req"), "-out", files.certificate)
    subprocess.run(("openssl", "ca", "-batch", "-notext", *places, *dates), check=True, capture_output=True)


AUTHORITY = """[ca]
default_ca = own
[own]
database = {directory}/index.txt
new_certs_dir = {directory}
certificate = {directory}/ca.pem
private_key = {directory}/ca.key
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""
"""What ``openssl ca`` must know (ca(1)), which of all its commands alone takes the date of a beginning."""


@contextlib.contextmanager
def ended(file: Path, directory: Path) -> Iterator[None]:
    """In this file is a certificate that ended yesterday."""
    good = file.read_bytes()
    file.write_bytes(Path(certified(directory, -1).certificate).read_bytes())
    try:
        yield
    finally:
        file.write_bytes(good)


async def _goes_through_tls(scene: Scene) -> Steps:
    """The southbound has a second address, at which TLS is wanted and nobody listens; the certificate is good."""
    files = certified(scene.scratch / "tls", 7)
    await scene.vsctl("set-ssl", files.key, files.certificate, files.ca)
    await scene.set(f"ovn-remote={scene.node.southbound},ssl:127.0.0.1:{free_ports(1)[0]}")
    yield
    await scene.set(f"ovn-remote={scene.node.southbound}")
    await scene.vsctl("del-ssl")


@fault(
    "certificate-expired",
    view=_goes_through_tls,
    passing="controller-not-connected southbound-down",
    deadline=20,
)
async def certificate_ended_yesterday(scene: Scene) -> Steps:
    """The certificate that ovn-controller shows to the southbound ended yesterday."""
    with ended(scene.scratch / "tls/node.pem", scene.scratch / "other"):
        yield


async def _through_tls_with_an_old_key(scene: Scene) -> Steps:
    files = certified(scene.scratch / "tls", 7)
    os.utime(files.key, (1.0, 1.0))
    os.utime(files.certificate, (2.0, 2.0))
    await scene.vsctl("set-ssl", files.key, files.certificate, files.ca)
    await scene.set(f"ovn-remote={scene.node.southbound},ssl:127.0.0.1:{free_ports(1)[0]}")
    yield
    await scene.set(f"ovn-remote={scene.node.southbound}")
    await scene.vsctl("del-ssl")


@fault("certificate-not-loaded", view=_through_tls_with_an_old_key, passing="certificate-expires", deadline=10)
async def certificate_renewed_without_its_key(scene: Scene) -> Steps:
    """The certificate of ovn-controller was renewed, and its key is the old one."""
    certificate = scene.scratch / "tls" / "node.pem"
    os.utime(certificate)
    yield
    os.utime(certificate, (2.0, 2.0))
