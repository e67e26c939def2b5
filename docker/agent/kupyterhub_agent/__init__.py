"""The agent: dials the proxy server and carries its requests to one person's JupyterLab."""
