"""What a container said about its end, as a kubelet has it: its message file, or the end of its log.

Rules: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/. One thing is other than
there: a container has no message file inside /dev, where the default path, /dev/termination-log, is. Its /dev is the
machine's own; to mount a file that is missing there takes a copy of /dev, and in a copy no terminal can be opened.
"""

from pathlib import Path, PurePosixPath

from .domain.manifests import Manifest
from .logs import last_words

_DEFAULT_PATH = "/dev/termination-log"
_LONGEST = 4096
_LOG_LINES = 80
_LOG_LONGEST = 2048


def message_path(container: Manifest) -> str | None:
    """Return where the container sees its message file, or None where it has none."""
    given = container.get("terminationMessagePath", _DEFAULT_PATH)
    path = PurePosixPath("/", given)
    return str(path) if given and not path.is_relative_to("/dev") else None


def termination_message(container: Manifest, exit_code: int, file: Path, log: Path) -> str:
    """Return the message for `terminated.message`, empty where nothing was said or may be told."""
    falls_back = container.get("terminationMessagePolicy") == "FallbackToLogsOnError" and exit_code != 0
    try:
        said = _end(file) if message_path(container) else b""
        if not said and falls_back:
            said = last_words(log, _LOG_LINES, _LOG_LONGEST)
    except OSError as error:
        return f"Error on reading termination message: {error.strerror}"
    # Ignored: what the limits left of a letter at the beginning.
    return said.decode(errors="ignore")


def _end(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _LONGEST))
        return opened.read(_LONGEST)
