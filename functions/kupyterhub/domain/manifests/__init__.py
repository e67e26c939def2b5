"""The Kubernetes objects of one user, written as they look in YAML, in the field order of `kubectl explain`."""
