"""Whether a node can pull an image of this name. Kubernetes itself finds out too late: the pods are ImagePullBackOff.

The grammar is that of github.com/distribution/reference (reference.go): what precedes the first slash is a registry
when it has a dot, a port or a capital, or is ``localhost``; else the image is on Docker Hub, and without a slash among
Docker's own (normalize.go, ``splitDockerDomain``).
"""

from __future__ import annotations

import re

from ovsnet.errors import UsageError

_HOST = r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]+(?:[.-]+[a-zA-Z0-9]+)*)(?::[0-9]+)?"
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG, _DIGEST = r"\w[\w.-]{0,127}", "sha256:[0-9a-f]{64}"
_NAME = re.compile(rf"(?:(?P<host>{_HOST})/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@{_DIGEST})?", re.ASCII)

REMEDY = (
    "Push yours to a registry and name it: --image REGISTRY/ovsnet:TAG (docs/deployment.md says how to build it). "
    "For an image that was loaded into kind or k3s, add --local-image."
)


def required(image: str | None, *, local: bool) -> str:
    """The name, if pods can run it. Raises UsageError for none, and for one that no node could pull; a ``local`` image
    is on the nodes already."""
    if image is None:
        raise UsageError("There is no public image of ovsnet, and no other was named.", remedy=REMEDY)
    found = _NAME.fullmatch(image)
    if found is None:
        raise UsageError(f"{image!r} is not the name of an image.", remedy="Write it as REGISTRY/ovsnet:TAG.")
    if not local and "/" not in image:
        raise UsageError(f"No node can pull {image}: it names no registry.", remedy=REMEDY)
    if not local and found["host"] == "localhost":
        raise UsageError(f"No node can pull {image}: localhost is a build host's own store.", remedy=REMEDY)
    return image
