"""Which system is meant: the one on this machine, or one in a Google Cloud project. No client is made here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kupyterhub_cli.errors import WrongUsage

STATE_FOLDER = ".kupyterhub"


@dataclass(frozen=True)
class Place:
    """Where documents, topics and cluster are."""

    project: str
    firestore: str | None = None
    """Host and port of an emulator; None is Google's own."""
    pubsub: str | None = None
    kubeconfig: str | None = None
    proxy_url: str | None = None
    state: Path | None = None
    """The folder of a local system."""

    @property
    def is_google(self) -> bool:
        """Whether it is in the cloud, and not on this machine."""
        return self.firestore is None

    def __str__(self) -> str:
        if self.state:
            return f"the local system in {self.state}"
        return f"project {self.project}" + ("" if self.is_google else f" of the emulator at {self.firestore}")


def find(project: str | None, environment: Mapping[str, str], folder: Path) -> Place:
    """`project` if it is given; else the local system whose folder is this one or above; else the environment.

    Raises WrongUsage.
    """
    if not project and (state := state_folder(environment, folder)) and (state / "env").is_file():
        from dotenv import dotenv_values  # noqa: PLC0415 - only where it is needed

        return _place({k: v or "" for k, v in dotenv_values(state / "env").items()}, state)
    if chosen := project or environment.get("GOOGLE_CLOUD_PROJECT"):
        return _place({**environment, "GOOGLE_CLOUD_PROJECT": chosen}, None)
    raise WrongUsage(
        "Which system? In a checkout, `kupyterhub up` starts one on this machine. "
        "For one in the cloud give --project PROJECT, or set GOOGLE_CLOUD_PROJECT."
    )


def state_folder(environment: Mapping[str, str], folder: Path) -> Path | None:
    """The folder that KUPYTERHUB_STATE names, or the nearest `.kupyterhub` from `folder` upwards."""
    if named := environment.get("KUPYTERHUB_STATE"):
        return Path(named).absolute()
    return next((each / STATE_FOLDER for each in _upwards(folder) if (each / STATE_FOLDER).is_dir()), None)


def checkout(folder: Path) -> Path | None:
    """The nearest checkout of the project from `folder` upwards."""
    return next((each for each in _upwards(folder) if (each / "infra/local/kupyterhub_local").is_dir()), None)


def _upwards(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.parents


def _place(environment: Mapping[str, str], state: Path | None) -> Place:
    project = environment.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        raise WrongUsage(f"{state}/env names no GOOGLE_CLOUD_PROJECT. Start the local system again: kupyterhub up")
    return Place(
        project,
        firestore=environment.get("FIRESTORE_EMULATOR_HOST") or None,
        pubsub=environment.get("PUBSUB_EMULATOR_HOST") or None,
        kubeconfig=environment.get("KUBECONFIG") or None,
        proxy_url=environment.get("PROXY_URL") or None,
        state=state,
    )
