"""The agent on a cluster: manifests that follow from the settings, for ``kubectl`` and for kustomize."""
