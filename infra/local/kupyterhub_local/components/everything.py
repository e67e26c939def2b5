"""All programs that the local system runs and that its Python packages do not bring."""

import asyncio
from dataclasses import dataclass

from kupyterhub_local.components import cloud_sdk, emulators, kubernetes, machine, versions
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.components.emulators import EmulatorPrograms
from kupyterhub_local.components.kubernetes import ControlPlanePrograms
from kupyterhub_local.progress import Say


@dataclass(frozen=True)
class Programs:
    """What runs that is not ours."""

    kubernetes: ControlPlanePrograms
    google: EmulatorPrograms


async def get(say: Say) -> Programs:
    """Find them, or download or build what is missing; raises UnsupportedMachine, ComponentError."""
    known, cache = versions.read(), user_cache()
    return Programs(
        *await asyncio.gather(
            kubernetes.get(known, machine.architecture(), cache, say),
            emulators.get(known, cloud_sdk.root(), cache, say),
        )
    )
