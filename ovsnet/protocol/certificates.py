"""From when until when the certificates of a PEM file are valid. Pure: bytes in, dates out.

As much of DER (ITU-T X.690) as leads to the dates of a certificate (RFC 5280, 4.1). Signatures, names and extensions
are OpenSSL's business.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import re

import msgspec

_BLOCK = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.+?)-----END (?:X509 |TRUSTED )?CERTIFICATE-----", re.DOTALL
)

SEQUENCE, INTEGER, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x02, 0x17, 0x18, 0xA0

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z", re.ASCII)
"""RFC 5280 allows this one alone: with seconds, in UTC."""


class Validity(msgspec.Struct, frozen=True):
    """Seconds since 1970, UTC."""

    begins: float
    ends: float


def validities(pem: bytes) -> list[Validity]:
    """Of each certificate in the file, in its order; what is not a certificate is left out. Raises nothing."""
    found = []
    for block in _BLOCK.finditer(pem):
        try:
            found.append(validity(base64.b64decode(block[1])))
        except (ValueError, binascii.Error):
            continue
    return found


def validity(der: bytes) -> Validity:
    """Of one certificate. Raises ValueError for anything else."""
    certificate, _ = _take(der, SEQUENCE)
    fields, _ = _take(certificate, SEQUENCE)
    if fields[:1] == bytes([VERSION]):
        _, fields = _take(fields, VERSION)
    for tag in (INTEGER, SEQUENCE, SEQUENCE):  # serial number, algorithm of the signature, issuer
        _, fields = _take(fields, tag)
    dates, _ = _take(fields, SEQUENCE)
    begins, dates = _time(dates)
    ends, _ = _time(dates)
    return Validity(begins, ends)


def _take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The contents of the first element, which must bear this tag, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise ValueError("another element was expected")
    length, start = data[1], 2
    if length & 0x80:  # the length has so many bytes of its own
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise ValueError("an element is cut off")
    return data[start : start + length], data[start + length :]


def _time(data: bytes) -> tuple[float, bytes]:
    tag = data[0] if data else 0
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise ValueError("a date was expected")
    value, rest = _take(data, tag)
    text = value.decode("ascii")
    if tag == UTC_TIME:  # RFC 5280, 4.1.2.5.1
        text = ("19" if text[:2] >= "50" else "20") + text
    date = _DATE.fullmatch(text)
    if date is None:
        raise ValueError(f"{text} is not a date")
    return float(calendar.timegm(tuple(map(int, date.groups())))), rest
