"""The dates of certificates, as OpenSSL writes and reads them."""

from __future__ import annotations

import base64
import ssl
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.io.tls import Tls
from ovsnet.protocol.certificates import Validity, validities, validity
from ovsnet.sandbox import binaries
from ovsnet.sandbox.pki import certify

DAY = 86400.0


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """The files of a sandbox."""
    directory = tmp_path_factory.mktemp("pki")
    files = Tls(*(str(directory / name) for name in ("node.key", "node.pem", "ca.pem")))
    certify(files, binaries.find())
    return files


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], check=True, capture_output=True, text=True).stdout


def by_openssl(file: str) -> Validity:
    dates = dict(line.split("=", 1) for line in openssl("x509", "-in", file, "-noout", "-dates").splitlines())
    begins, ends = (float(ssl.cert_time_to_seconds(dates[name])) for name in ("notBefore", "notAfter"))
    return Validity(begins, ends)


@pytest.mark.parametrize("days", [-1, 1, 365, 3650, 365 * 30, 365 * 1000])
def test_dates_are_those_that_openssl_reads(pki: Tls, tmp_path: Path, days: int) -> None:
    """Those behind 2049 are written in another form (RFC 5280, 4.1.2.5)."""
    request, signed = str(Path(pki.ca).with_suffix(".req")), str(tmp_path / "signed.pem")
    key = str(Path(pki.ca).with_suffix(".key"))
    signer = ("-CA", pki.ca, "-CAkey", key, "-set_serial", "12345678901234567890")
    openssl("x509", "-req", "-in", request, *signer, "-days", str(days), "-out", signed)
    (found,) = validities(Path(signed).read_bytes())
    assert found == by_openssl(signed)
    assert found.ends - found.begins == days * DAY


def test_bundle_has_each_in_order_and_what_is_none_is_left_out(pki: Tls) -> None:
    first, second, key = (Path(name).read_bytes() for name in (pki.certificate, pki.ca, pki.key))
    torn = first.replace(b"MII", b"AII", 1)
    bundle = b"a comment\n" + key + first + torn + second
    assert validities(bundle) == [by_openssl(pki.certificate), by_openssl(pki.ca)]
    assert validities(key) == validities(b"") == []


@given(data=st.data())
def test_what_is_torn_or_altered_is_refused_or_read_and_nothing_else(pki: Tls, data: st.DataObject) -> None:
    whole = ssl.PEM_cert_to_DER_cert(Path(pki.certificate).read_text())
    at = data.draw(st.integers(0, len(whole) - 1))
    altered = whole[:at] + data.draw(st.binary(max_size=3)) + whole[at + data.draw(st.integers(0, 3)) :]
    try:
        validity(altered[: data.draw(st.integers(0, len(altered)))])
    except ValueError:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read_and_nothing_else(noise: bytes) -> None:
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(noise) + b"\n-----END CERTIFICATE-----\n"
    assert len(validities(pem)) <= 1
    assert len(validities(pem.replace(b"\n", noise))) <= 1


@pytest.mark.parametrize("altered", [b"\x04\x0d", b"\x18\x0d"])
def test_date_in_another_form_is_none(pki: Tls, altered: bytes) -> None:
    """Another type of element, and a year of four digits where there are two."""
    whole = ssl.PEM_cert_to_DER_cert(Path(pki.certificate).read_text())
    assert b"\x17\x0d" in whole
    with pytest.raises(ValueError, match="date"):
        validity(whole.replace(b"\x17\x0d", altered, 1))
