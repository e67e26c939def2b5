"""The program that becomes a container: `python -I -S launch.py <parent pid> <report fd>`, its plan on stdin.

It runs in an interpreter of its own that imports next to nothing, because a start should take some ten
milliseconds. It makes the namespaces and forks the init (pid 1 inside), which makes the mounts and forks the
container's command. Each dies with its parent, and the kernel ends a PID namespace with its init: nothing
outlives the node, also not its `kill -9`. SIGTERM to this program reaches the command; SIGUSR1 kills everything
in the container.

What goes wrong before the command runs is written to the report fd as text; closed empty, the command runs.
"""

import contextlib
import ctypes
import json
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

# <sched.h>, <sys/mount.h>, <sys/prctl.h>
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x04000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
# What a user namespace may not take away from a mount; statvfs has the same bits.
LOCKED_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC
# Exit code of a container whose command could not be started, as containerd gives it.
NOT_STARTED = 128

_PASSED_ON = (signal.SIGTERM, signal.SIGUSR1)

_libc = ctypes.CDLL(None, use_errno=True)


class LaunchError(Exception):
    """Why there is no container, as a sentence for people."""


def main() -> NoReturn:
    """Make the container and end as its command ends: with its exit code, or 128 and the signal's number."""
    parent, report = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(report, False)  # noqa: FBT003 - closed by the command's start, which tells of it
    _die_with_parent()
    if os.getppid() != parent:
        os._exit(137)
    plan = json.load(sys.stdin)
    try:
        _unshare()
    except LaunchError as error:
        _give_up(report, error)
    # Held back until there is somebody to pass them on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    init = os.fork()
    if init == 0:
        _be_init(plan, report)
    os.close(report)
    _forward(signal.SIGTERM, init, signal.SIGTERM)
    _forward(signal.SIGUSR1, init, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    _drop_standard_files()
    os._exit(_exit_code(os.waitpid(init, 0)[1]))


def _be_init(plan: dict[str, Any], report: int) -> NoReturn:
    _die_with_parent()
    try:
        _mount_all(plan["root"], plan["steps"])
        _call("sethostname", plan["hostname"].encode(), len(plan["hostname"].encode()))
    except (LaunchError, OSError) as error:
        _give_up(report, error)
    command = os.fork()
    if command == 0:
        _be_command(plan, report)
    os.close(report)
    _forward(signal.SIGTERM, command, signal.SIGTERM)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    _drop_standard_files()
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == command:
            os._exit(_exit_code(status))


def _be_command(plan: dict[str, Any], report: int) -> NoReturn:
    os.setsid()
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        os.chdir(plan["cwd"])
        os.execvpe(plan["argv"][0], plan["argv"], plan["environment"])  # noqa: S606 - a pod names its command
    except OSError as error:
        _give_up(report, f"cannot run {plan['argv'][0]!r} in {plan['cwd']}: {error.strerror}")


def _unshare() -> None:
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS
    user, group = os.getuid(), os.getgid()
    if user == 0:
        _call("unshare", flags, hint="run the node where it may make mount and PID namespaces (CAP_SYS_ADMIN)")
        return
    hint = (
        "run as root, or allow unprivileged user namespaces by sysctl: user.max_user_namespaces above 0, "
        "on Debian kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0"
    )
    _call("unshare", flags | CLONE_NEWUSER, hint=hint)
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs start time
                file.write(text)
    except OSError as error:
        raise LaunchError(f"cannot set up the user namespace ({error}): {hint}") from error


def _mount_all(root: str, steps: list[dict[str, Any]]) -> None:
    _mount("", "/", "", MS_REC | MS_PRIVATE)
    for step in steps:
        source, target = step["source"], (root + step["target"]).rstrip("/")
        if step["action"] == "symlink":
            os.symlink(source, target)  # noqa: PTH211 - pathlib costs start time
        elif step["action"] == "tmpfs":
            _mount("tmpfs", target, "tmpfs", 0, data="mode=755")
        else:
            _bind(source, target, read_only=step["read_only"])
    _mount(
        "proc",
        root + "/proc",
        "proc",
        LOCKED_FLAGS,
        hint="inside a container, start that one with --security-opt systempaths=unconfined",
    )
    os.chdir(root)
    _call("pivot_root", b".", b".")
    _call("umount2", b".", MNT_DETACH)
    os.chdir("/")


def _bind(source: str, target: str, *, read_only: bool) -> None:
    if os.path.isdir(source):  # noqa: PTH112 - pathlib costs start time
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    _mount(source, target, "", MS_BIND | MS_REC)
    if read_only:
        kept = os.statvfs(target).f_flag & LOCKED_FLAGS
        _mount("", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def _mount(  # noqa: PLR0913 - those of mount(2)
    source: str, target: str, kind: str, flags: int, *, data: str = "", hint: str = ""
) -> None:
    arguments = (
        source.encode(),
        target.encode(),
        kind.encode(),
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _call("mount", *arguments, subject=f" of {source or kind or 'flags'} at {target}", hint=hint)


def _call(name: str, *arguments: Any, subject: str = "", hint: str = "") -> None:
    # glibc has no wrapper for pivot_root; the numbers are those of x86-64 and of the generic table (arm64).
    pivot_root = 155 if os.uname().machine == "x86_64" else 41
    result = _libc.syscall(pivot_root, *arguments) if name == "pivot_root" else getattr(_libc, name)(*arguments)
    if result != 0:
        reason = os.strerror(ctypes.get_errno())
        raise LaunchError(f"{name}{subject} was refused: {reason}" + (f". To allow it: {hint}" if hint else ""))


def _die_with_parent() -> None:
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)


def _forward(received: signal.Signals, to: int, sent: signal.Signals) -> None:
    def handler(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):  # it may just have ended by itself
            os.kill(to, sent)

    signal.signal(received, handler)


def _drop_standard_files() -> None:
    """Let go of the container's output, so that only the container holds it open."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _give_up(report: int, reason: object) -> NoReturn:
    os.write(report, str(reason).encode())
    os._exit(NOT_STARTED)


if __name__ == "__main__":
    main()
