"""What helm 3 and `kubectl apply` do with a list of containers: a strategic merge in three ways.

As apimachinery's strategicpatch, CreateThreeWayMergePatch: what the new version says wins over what is in the cluster;
what the last version said and the new one does not is taken out; what somebody else has put there stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
}
"""patchMergeKey of k8s.io/api/core/v1/types.go. All other lists are replaced as a whole."""


def merged(last: Any, new: Any, there: Any, field: str = "") -> Any:
    """What is in the cluster afterwards."""
    if isinstance(new, Mapping) and isinstance(there, Mapping):
        return _mapping(last if isinstance(last, Mapping) else {}, new, there)
    if field in KEYS and isinstance(new, Sequence) and isinstance(there, Sequence):
        key = KEYS[field]
        by_key = [{each[key]: each for each in some} for some in (last or [], new, there)]
        return list(_mapping(*by_key).values())
    return new


def _mapping(last: Mapping[str, Any], new: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in there.items() if key in new or key not in last}
    return kept | {key: merged(last.get(key), value, kept.get(key), key) for key, value in new.items()}
