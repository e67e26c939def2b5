"""Terraform without Google: the real program, and a provider that knows the published schema and no cloud."""
