"""The mounts of a container's file tree."""

from collections.abc import Iterable

import pytest

from kupyterhub_local.node.domain.manifests import ConfigError
from kupyterhub_local.node.domain.mount_plan import Mount, Step, mount_plan

ROOT = Step("bind", "/", "/")


class Host:
    """A host with these directories and links."""

    directories = (
        "/",
        "/bin",
        "/home",
        "/home/ann",
        "/etc",
        "/etc/hosts",
        "/work",
        "/work/checkout",
        "/run",
        "/proc",
    )
    links = {"/var": "/run", "/lib": "usr/lib"}  # noqa: RUF012 - never changed

    def resolve(self, path: str) -> str:
        return path.replace("/var/", "/run/", 1) if path.startswith("/var/") else path

    def exists(self, path: str) -> bool:
        return path in self.directories

    def children(self, path: str) -> Iterable[str]:
        start = path.rstrip("/") + "/"
        known = [*self.directories, *self.links]
        return {each.removeprefix(start).split("/")[0] for each in known if each.startswith(start)} - {""}

    def link(self, path: str) -> str | None:
        return self.links.get(path)


def plan(*mounts: Mount, keep: tuple[str, ...] = ()) -> list[Step]:
    return mount_plan(mounts, keep, Host())


def test_a_path_that_the_host_has_is_only_bound_over() -> None:
    assert plan(Mount("/v/hosts", "/etc/hosts", read_only=True)) == [
        ROOT,
        Step("bind", "/v/hosts", "/etc/hosts", read_only=True),
    ]


def test_the_deepest_existing_ancestor_of_a_missing_path_is_covered() -> None:
    assert plan(Mount("/v/home", "/home/jovyan")) == [
        ROOT,
        Step("tmpfs", "", "/home"),
        Step("bind", "/home/ann", "/home/ann"),
        Step("bind", "/v/home", "/home/jovyan"),
    ]


def test_covers_come_before_volumes_and_the_root_can_be_covered() -> None:
    steps = plan(Mount("/v/work", "/work"), Mount("/v/data", "/data/deep"), Mount("/v/home", "/home/jovyan"))
    actions = [(step.action, step.target) for step in steps]
    assert actions.index(("tmpfs", "/")) < actions.index(("tmpfs", "/home")) < actions.index(("bind", "/data/deep"))
    assert actions.count(("bind", "/work")) == 2
    assert steps[-3:] == [
        Step("bind", "/v/work", "/work"),
        Step("bind", "/v/data", "/data/deep"),
        Step("bind", "/v/home", "/home/jovyan"),
    ]
    assert Step("symlink", "usr/lib", "/lib") in steps


def test_a_path_inside_another_volume_is_made_there() -> None:
    steps = plan(Mount("/v/work", "/home/ann/work"), Mount("/v/ann", "/home/ann"))
    assert steps == [ROOT, Step("bind", "/v/ann", "/home/ann"), Step("bind", "/v/work", "/home/ann/work")]


def test_what_is_kept_is_bound_again_only_where_a_volume_hides_it() -> None:
    steps = plan(Mount("/v/work", "/work"), keep=("/work/checkout", "/home/ann/python"))
    assert steps == [
        ROOT,
        Step("bind", "/v/work", "/work"),
        Step("bind", "/work/checkout", "/work/checkout"),
    ]


def test_links_of_the_host_are_followed() -> None:
    assert plan(Mount("/v/s", "/var/secrets"))[-1] == Step("bind", "/v/s", "/run/secrets")


@pytest.mark.parametrize("path", ["/", "relative", "/proc", "/proc/x"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match="mountPath"):
        plan(Mount("/v", path))
