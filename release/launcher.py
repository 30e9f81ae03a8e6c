"""Starts ovsnet with its own libraries, from a single file or from the directory of a package.

Extension modules cannot be imported from a zip file, so a single file unpacks its wheels once, into a directory that
only the user can write. Any Python 3 on the host may read this file first, so its syntax is that of 3.6.
"""

import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than the rest of this file
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

CONTENTS = {}  # type: dict[str, Any]
"""Filled in by the build: ``machine``, ``pythons``, and either ``wheels`` (names and SHA-256 by Python) with the
``digest`` of them all, or ``home``, the directory of a package where they are unpacked."""


def main(contents: "dict[str, Any]") -> None:
    """Put the libraries on the import path, then run ovsnet."""
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
    # For child processes, such as those of `ovsnet bench`.
    inherited = [each for each in [os.environ.get("PYTHONPATH", "")] if each]
    os.environ["PYTHONPATH"] = os.pathsep.join(places + inherited)
    from ovsnet.cli import main

    main()


def _become_another(pythons: "list[str]", here: str) -> "NoReturn":
    """Run a supported Python instead: ``python3`` of RHEL 9 is 3.9, with newer ones beside it."""
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

    # Private (mkdtemp), and removed at exit.
    place = tempfile.mkdtemp(prefix="ovsnet-pyz-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    sys.stderr.write("ovsnet: no cache directory is private, so each start unpacks. XDG_CACHE_HOME can name one.\n")
    _extract(contents, here, place)
    return place


def _caches() -> "Iterator[str]":
    """The service's (``CacheDirectory=`` of systemd), then the user's, from the user database if HOME is not set."""
    yield os.environ.get("CACHE_DIRECTORY", "")
    yield os.environ.get("XDG_CACHE_HOME", "")
    yield os.path.join(os.path.expanduser("~"), ".cache")


def is_private(cache: str) -> bool:
    """Whether no other user can replace what is in ``cache``/ovsnet, as the owner of any directory above it could (with
    sudo, HOME may be another user's), and the file system allows programs to run."""
    try:
        os.makedirs(os.path.join(cache, "ovsnet"), 0o700, exist_ok=True)
        own = path = os.path.realpath(os.path.join(cache, "ovsnet"))
        while True:
            found = os.stat(path)
            if found.st_uid not in (0, os.geteuid()):
                return False
            sticky = found.st_mode & 0o1000 and path != own  # others can remove only their own files there
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
    """Create ``place`` complete or not at all, even if another process unpacks it at the same time."""
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
    """Write the content to disk before the rename, so that a power cut cannot leave a directory of empty files.
    syncfs(2), because a thousand calls of fsync take ten seconds."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        import ctypes

        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except (ImportError, MemoryError):  # older versions of libffi fail under MemoryDenyWriteExecute=
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
