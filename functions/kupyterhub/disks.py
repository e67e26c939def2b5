"""`storage.kind: disk`: a PersistentVolumeClaim for each person."""

from collections.abc import Callable
from dataclasses import dataclass

from kupyterhub.domain.manifests.storage import claim
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.quantities import amount
from kupyterhub.domain.users import UserDocument
from kupyterhub.ports import Cluster


@dataclass(frozen=True)
class Disks:
    """`ports.Storage` in Kubernetes."""

    cluster: Cluster

    def make(self, user: UserDocument, wanted: Wanted) -> bool:
        """Create the claim, or ask for more where the profile's size has grown."""
        if self.cluster.create(claim(user, wanted)) is not None:
            return True
        live, size = self.cluster.read_claim(wanted.name), wanted.profile.storage.size
        if live and amount(live["spec"]["resources"]["requests"]["storage"]) < amount(size):
            self.cluster.resize_claim(wanted.name, size)
        return False

    def delete(self, name: str, still: Callable[[], None]) -> bool:
        """Delete the claim that was read; it stays for as long as Kubernetes protects it."""
        live = self.cluster.read_claim(name)
        still()
        return live is None or self.cluster.delete_claim(live)
