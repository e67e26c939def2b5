"""What is in the images, and what is not."""

import re

import pytest

from images.builder import DOCKER, Builder, BuildFailed, pip_configuration

IMAGES = ["agent", "proxy", "jupyterlab"]


@pytest.mark.parametrize("image", IMAGES)
def test_it_is_run_by_number_and_says_what_it_is(builder: Builder, image: str) -> None:
    configuration = builder.configuration(builder.image(image))
    assert configuration["User"] == "1000:1000"
    assert not configuration.get("Entrypoint")
    labels = configuration["Labels"]
    assert labels["org.opencontainers.image.title"] == f"kupyterhub {image}"
    assert {"description", "revision"} <= {label.rpartition(".")[2] for label in labels}


@pytest.mark.parametrize("image", IMAGES)
def test_nothing_of_the_builders_package_index_is_left(builder: Builder, image: str) -> None:
    name = builder.image(image)
    values = [value for key, value in pip_configuration().items() if key != "default-timeout"]
    assert not [value for value in values if value in str(builder.configuration(name))]
    with builder.root(name) as root:
        assert not (root / "etc/pip.conf").exists()
        assert not (root / "root/.cache/pip").exists()


@pytest.mark.parametrize(
    ("image", "shared"),
    [("agent", ["kupyterhub_tunnel"]), ("proxy", ["kupyterhub_rules", "kupyterhub_tunnel"])],
    ids=["agent", "proxy"],
)
def test_it_has_no_installer_and_is_compiled(builder: Builder, image: str, shared: list[str]) -> None:
    with builder.root(builder.image(image)) as root:
        packages = next((root / "opt/venv/lib").glob("python3*/site-packages"))
        assert not (packages / "pip").exists()
        assert list((packages / "aiohttp/__pycache__").glob("client.*.pyc"))
        assert list((root / f"opt/kupyterhub/kupyterhub_{image}/__pycache__").glob("settings.*.pyc"))
        found = sorted(path.name for path in (root / "opt/kupyterhub").iterdir())
        assert found == sorted([f"kupyterhub_{image}", *shared])
        for name in found:
            assert list((root / "opt/kupyterhub" / name).rglob("__pycache__/*.pyc")), name


def test_pip_is_the_one_of_the_lock(builder: Builder) -> None:
    locked = re.search(r"^pip==(\S+)", (DOCKER / "jupyterlab/requirements.lock").read_text(), re.MULTILINE)
    assert locked is not None
    with builder.root(builder.image("jupyterlab")) as root:
        found = {path.name for path in (root / "usr/local/lib").glob("python3*/*-packages/pip-*.dist-info")}
        assert found == {f"pip-{locked[1]}.dist-info"}
        assert (root / "usr/local/bin/pip").exists()


def test_a_base_that_has_no_jupyterlab_is_refused(builder: Builder) -> None:
    with pytest.raises(BuildFailed, match="check-base: 'jupyter lab' does not run as user 1000"):
        builder.image("jupyterlab", BASE=builder.base())
