"""`ports.Notebooks` by `kubectl exec`, with the rights of $KUBECONFIG."""

import subprocess
from collections.abc import Mapping
from typing import Any

from .ports import SmokeError

SECONDS = 120


class KubectlNotebooks:
    """Notebooks in the cluster of $KUBECONFIG."""

    def __init__(self, namespace: str = "kupyterhub") -> None:
        self._namespace = namespace

    def run(self, status: Mapping[str, Any], code: str) -> str:
        """Run Python in the notebook's container."""
        command = ("kubectl", "exec", f"--namespace={self._namespace}", f"deployment/jupyterlab-{status['name']}")
        done = subprocess.run(  # noqa: S603 - a name that the controller made, and code that is here
            [*command, "--container=jupyterlab", "--", "python3", "-c", code],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise SmokeError(f"nothing can be run in the notebook of {status['email']}: {done.stderr.strip()}")
        return done.stdout.strip()
