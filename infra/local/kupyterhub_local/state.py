"""The folder `.kupyterhub/` of a checkout: where everything of its local system is kept."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
SETTINGS_TEMPLATE = CHECKOUT / "infra/local/kupyterhub.yaml"


@dataclass(frozen=True)
class StateFolder:
    """Paths in the folder `root`."""

    root: Path

    @property
    def env(self) -> Path:
        """Tells other programs where things are (dotenv)."""
        return self.root / "env"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.root / "logs"

    @property
    def settings(self) -> Path:
        """`kupyterhub.yaml`, which a person edits."""
        return self.root / "kupyterhub.yaml"

    @property
    def master_secret(self) -> Path:
        """What notebooks' tokens are made from."""
        return self.root / "master-secret"

    @property
    def session_key(self) -> Path:
        """What the proxy signs sign-ins with, so that they outlive a run."""
        return self.root / "session-key"

    @property
    def portal_session_key(self) -> Path:
        """What the portal signs its sessions with; it does not know the proxy's, by which that vouches for people."""
        return self.root / "portal-session-key"

    @property
    def addresses(self) -> Path:
        """Ports and address ranges of this checkout."""
        return self.root / "addresses.json"

    @property
    def lock(self) -> Path:
        """Held by the run, with its pid inside."""
        return self.root / "lock"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.root / "pki"

    @property
    def admin_kubeconfig(self) -> Path:
        """For people."""
        return self.root / "kubeconfig"

    @property
    def controller_kubeconfig(self) -> Path:
        """For the functions."""
        return self.root / "controller.kubeconfig"

    @property
    def node_kubeconfig(self) -> Path:
        """For the node."""
        return self.root / "node.kubeconfig"

    @property
    def admins(self) -> Path:
        """E-mails of the administrators, one a line, for the proxy."""
        return self.root / "admins"

    @property
    def agent_issuers(self) -> Path:
        """Whose tokens the proxy takes from agents."""
        return self.root / "agent-issuers.json"

    @property
    def etcd(self) -> Path:
        """The API server's objects."""
        return self.root / "etcd"

    @property
    def snapshots(self) -> Path:
        """Snapshots of Firestore, which the bridge makes."""
        return self.root / "firestore"

    @property
    def queue(self) -> Path:
        """Events that the bridge has yet to deliver."""
        return self.root / "bridge/queue.sqlite"

    @property
    def node(self) -> Path:
        """Pods, their volumes, and people's storage."""
        return self.root / "node"

    def prepare(self, domain: str) -> None:
        """Make the folder, its secrets and its settings (for `domain`), where they are not there yet."""
        for folder in (self.root, self.logs, self.snapshots, self.queue.parent, self.node):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for secret in (self.master_secret, self.session_key, self.portal_session_key):
            if not secret.exists():
                write_private(secret, secrets.token_hex(32) + "\n")
        if not self.settings.exists():
            write_private(self.settings, SETTINGS_TEMPLATE.read_text().replace("$DOMAIN", domain))


def of_checkout() -> StateFolder:
    """Return the folder of this checkout, or the one that `KUPYTERHUB_STATE` names."""
    return StateFolder(Path(os.environ.get("KUPYTERHUB_STATE") or CHECKOUT / ".kupyterhub").absolute())


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)
