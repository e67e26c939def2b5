"""What an image is told that cannot be a person's JupyterLab."""

import os
import subprocess
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[3] / "docker/jupyterlab/check-base"
GOOD = """#!/bin/sh
case "$*" in
    "lab --version") echo 4.2.5 ;;
    "--paths --json") echo '{"config": ["/usr/local/etc/jupyter"]}' ;;
    "kernelspec list --json") echo '{"kernelspecs": {"python3": {"spec": {"argv": []}}}}' ;;
esac
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """An image's programs, of which jupyter says what a good one does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("mktemp", "touch", "rm", "tail", "grep", "id", "python3", "sh"):
        found = next(p for p in map(Path, ("/usr/bin", "/bin", "/usr/local/bin")) if (p / name).exists()) / name
        (folder / name).symlink_to(found)
    program(folder, "jupyter", GOOD)
    program(folder, "id", "#!/bin/sh\necho 1000\n")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def complaints(programs: Path, home: str = "/home/jovyan") -> list[str]:
    done = subprocess.run(
        ["/bin/sh", CHECK],
        env={"PATH": str(programs), "HOME": home, "TMPDIR": str(programs.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.removeprefix("check-base: ") for line in done.stderr.splitlines()]
    assert (done.returncode != 0) == bool(lines)
    # This machine has no such home; what the check says of it is seen in the images that are built.
    return [line for line in lines if not line.startswith("/home/jovyan cannot be written")]


def test_a_good_base_passes(programs: Path) -> None:
    assert complaints(programs) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("id", "#!/bin/sh\necho 0\n", "runs as root; "),
        ("jupyter", GOOD.replace("4.2.5", "3.6.8"), "JupyterLab is 3.6.8; it has to be 4 or newer"),
        ("jupyter", "#!/bin/sh\necho broken >&2; exit 1\n", "'jupyter lab' does not run as user 1000: broken"),
        ("jupyter", GOOD.replace("/usr/local/etc", "/opt/etc"), "Jupyter does not read /usr/local/etc/jupyter"),
        ("jupyter", GOOD.replace("argv", "none"), "no kernel is installed"),
        ("python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.7\n', "Python 3.7 is too old"),
    ],
    ids=["root", "old", "broken", "elsewhere", "no-kernel", "old-python"],
)
def test_a_base_that_lacks_something_is_told_what(programs: Path, name: str, text: str, complaint: str) -> None:
    program(programs, name, text)
    (said,) = complaints(programs)
    assert said.startswith(complaint)


def test_a_home_of_its_own_is_refused(programs: Path, tmp_path: Path) -> None:
    assert complaints(programs, str(tmp_path)) == [
        f"HOME is '{tmp_path}'; the person's storage is mounted at /home/jovyan"
    ]


def test_everything_that_is_wrong_is_said_at_once(programs: Path) -> None:
    (programs / "python3").unlink()
    program(programs, "id", "#!/bin/sh\necho 0\n")
    program(programs, "jupyter", "#!/bin/sh\nexit 1\n")
    assert len(complaints(programs, os.devnull)) >= 4
