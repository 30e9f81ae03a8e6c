"""Starts an ovsnet that carries its libraries: out of a single file, or out of the directory of a package.

Extension modules cannot be imported out of a zip file, so those of a single file are unpacked once into a directory
that nobody but the user can write. Whatever Python is there reads this file, so its syntax is that of 3.6.
"""

import os
import sys

TYPE_CHECKING = False  # the module typing would cost more than all that is done here
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

CONTENTS = {}  # type: dict[str, Any]
"""Written by the build: ``machine``; ``pythons``; ``wheels``, names and SHA-256 by Python; ``digest`` of all; or
``home``, the directory of a package that holds them unpacked."""


def main(contents: "dict[str, Any]") -> None:
    """Have ovsnet's libraries found, then run it."""
    here = "{}.{}".format(*sys.version_info)
    if here not in contents["pythons"]:
        _become_another(contents["pythons"], here)
    if os.uname().machine != contents["machine"]:
        _end(f"this file was made for {contents['machine']}, and this host is {os.uname().machine}.")
    if contents["home"]:
        places = [os.path.join(contents["home"], part) for part in (here, "common")]
    else:
        places = [unpacked(contents, here)]
    sys.path[0:1] = places
    # For processes of ours that it starts: `ovsnet bench` has some.
    inherited = [each for each in [os.environ.get("PYTHONPATH", "")] if each]
    os.environ["PYTHONPATH"] = os.pathsep.join(places + inherited)
    from ovsnet.cli import main

    main()


def _become_another(pythons: "list[str]", here: str) -> "NoReturn":
    """``python3`` of RHEL 9 is 3.9, with newer ones beside it."""
    for version in reversed(pythons):
        for directory in ("/usr/bin", "/usr/local/bin"):
            program = os.path.join(directory, f"python{version}")
            if os.access(program, os.X_OK):
                os.execv(program, [program, *sys.argv])
    _end(f"this is Python {here}, and it runs on {', '.join(pythons)}. Install one, as /usr/bin/python{pythons[0]}.")


def _end(sentence: str) -> "NoReturn":
    sys.stderr.write(f"ovsnet: {sentence}\n")
    sys.exit(3)


def unpacked(contents: "dict[str, Any]", here: str) -> str:
    """The directory that holds the libraries for this Python."""
    for cache in _caches():
        if cache and is_private(cache):
            place = os.path.join(cache, "ovsnet", f"pyz-{contents['digest'][:16]}-{here}")
            if _is_ours(place) or _unpack(contents, here, place):
                return place
    import atexit
    import shutil
    import tempfile

    # Nobody's but ours (mkdtemp), and gone with us.
    place = tempfile.mkdtemp(prefix="ovsnet-pyz-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    sys.stderr.write("ovsnet: no cache directory is private, so each start unpacks. XDG_CACHE_HOME can name one.\n")
    _extract(contents, here, place)
    return place


def _caches() -> "Iterator[str]":
    """Of the service (``CacheDirectory=`` of systemd), then of the user, by the user database where HOME is not set."""
    yield os.environ.get("CACHE_DIRECTORY", "")
    yield os.environ.get("XDG_CACHE_HOME", "")
    yield os.path.join(os.path.expanduser("~"), ".cache")


def is_private(cache: str) -> bool:
    """Whether nobody else can put another directory in the place of one in ``cache``/ovsnet, as the owner of any
    directory above it could: with sudo, HOME may be another user's. And programs may run there."""
    try:
        os.makedirs(os.path.join(cache, "ovsnet"), 0o700, exist_ok=True)
        own = path = os.path.realpath(os.path.join(cache, "ovsnet"))
        while True:
            found = os.stat(path)
            if found.st_uid not in (0, os.geteuid()):
                return False
            sticky = found.st_mode & 0o1000 and path != own  # others can add there, and take away only what is theirs
            if found.st_mode & 0o022 and not sticky:
                return False
            if path == "/":
                return not os.statvfs(own).f_flag & os.ST_NOEXEC and os.access(own, os.W_OK)
            path = os.path.dirname(path)
    except OSError:
        return False


def _is_ours(place: str) -> bool:
    import stat

    try:
        found = os.lstat(place)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _unpack(contents: "dict[str, Any]", here: str, place: str) -> bool:
    """``place`` appears complete or not at all, also where another process unpacks it at the same time."""
    import shutil
    import tempfile

    draft = ""
    try:
        draft = tempfile.mkdtemp(prefix=".unpacking-", dir=os.path.dirname(place))
        _extract(contents, here, draft)
        _flush(draft)
        os.rename(draft, place)
    except OSError:  # no room, or another was faster
        if draft:
            shutil.rmtree(draft, ignore_errors=True)
        return _is_ours(place)
    return True


def _flush(directory: str) -> None:
    """After a power cut the name must not be there without the content. syncfs(2): a thousand calls of fsync take ten
    seconds where one of these takes a part of one."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        import ctypes

        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except (ImportError, MemoryError):  # an older libffi wants memory that MemoryDenyWriteExecute= denies
        os.sync()
    finally:
        os.close(descriptor)


def _extract(contents: "dict[str, Any]", here: str, target: str) -> None:
    import hashlib
    import io
    import zipfile

    with zipfile.ZipFile(os.path.abspath(sys.argv[0])) as archive:
        for name, digest in contents["wheels"][here]:
            try:
                packed = archive.read(f"wheels/{name}")
            except (KeyError, zipfile.BadZipFile):
                packed = b""
            if hashlib.sha256(packed).hexdigest() != digest:
                _end(f"{name} in it is damaged. Copy the file once more.")
            with zipfile.ZipFile(io.BytesIO(packed)) as wheel:
                wheel.extractall(target, [each for each in wheel.namelist() if ".data/scripts/" not in each])


if __name__ == "__main__":
    main(CONTENTS)
