"""Warns a person in their pages before JupyterLab is stopped for being unused, and lets them keep it."""
