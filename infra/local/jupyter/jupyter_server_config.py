"""What JupyterLab needs on one machine only: there, it runs as whoever started the local system, root included."""
# ruff: noqa: F821, INP001 - Jupyter executes this file and provides `c`; it is no module

c.ServerApp.allow_root = True
