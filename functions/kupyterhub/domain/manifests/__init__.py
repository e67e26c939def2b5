"""Kubernetes objects, written as they look in YAML, in the field order of `kubectl explain`."""
