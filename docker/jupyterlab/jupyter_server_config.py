"""JupyterLab's settings for every user. Addresses and the root directory come from the pod's command line."""
# Jupyter executes this file and provides `c`; it is no module.
# ruff: noqa: F821, INP001
# mypy: ignore-errors

# Requests come for https://<name>.<domain>. Listening on a loopback or pod address alone, Jupyter would answer
# other Host names with 403; the proxy has checked the host and the person, and the network policy lets only the
# agent in.
c.ServerApp.allow_remote_access = True

# The agent removes the browser's X-Forwarded-* and sets its own, so cookies know whether the browser uses https.
c.ServerApp.trust_xheaders = True

c.ServerApp.open_browser = False

# Stopping is the controller's business: a server that is shut down from its menu would only be started again.
c.ServerApp.quit_button = False

# There is one way in: the token, which only the agent knows.
c.PasswordIdentityProvider.allow_password_change = False

# A trash on the user's own storage fills that storage, and Jupyter has no way to empty it.
c.FileContentsManager.delete_to_trash = False
