"""A certificate authority for one sandbox, and the one pair that it signs, for servers and clients alike."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ovsnet.errors import UnfitEnvironment

if TYPE_CHECKING:
    from ovsnet.io.tls import Tls
    from ovsnet.sandbox.binaries import Binaries

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout")
_DAYS = "7"
"""That a certificate is good for: a sandbox is disposable."""


def certify(tls: Tls, binaries: Binaries) -> None:
    """Make the files that ``tls`` names, with openssl, which Open vSwitch's packages bring along for ovs-pki.

    Raises UnfitEnvironment.
    """
    ca_key, request = (str(Path(tls.ca).with_suffix(suffix)) for suffix in (".key", ".req"))
    environment = os.environ | binaries.environment()
    signer = ("-CA", tls.ca, "-CAkey", ca_key, "-set_serial", "1", "-days", _DAYS)
    for arguments in (
        ("req", "-x509", *_NEW_KEY, ca_key, "-subj", "/CN=ovsnet sandbox CA", "-days", _DAYS, "-out", tls.ca),
        ("req", *_NEW_KEY, tls.key, "-subj", "/CN=ovsnet sandbox", "-out", request),
        ("x509", "-req", "-in", request, *signer, "-out", tls.certificate),
    ):
        _openssl(arguments, environment)


def _openssl(arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    try:
        subprocess.run(["openssl", *arguments], env=environment, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UnfitEnvironment("There is no openssl here.", remedy="Install openssl, or use tcp: or unix:.") from error
    except subprocess.CalledProcessError as error:
        why = error.stderr.strip().splitlines()[-1:] or ["it gave no reason"]
        raise UnfitEnvironment(f"openssl made no certificate: {why[0]}.") from error
