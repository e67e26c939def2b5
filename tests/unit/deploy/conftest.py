"""Scripts of infra/deploy, in a checkout of their own with programs that only note how they were called."""

import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "infra/deploy"))  # a program, as PYTHONPATH makes it one in smoke.sh

NOTE = '#!/usr/bin/env bash\necho "$(basename "$0") $*" >>"$CALLS"\n'
# What `gcloud storage` does with the bucket, on a folder; `secrets` and the rest are only noted.
GCLOUD = (
    NOTE
    + """
here() { echo "$BUCKETS/${1#gs://}"; }
if [ "$1 $2" = "storage cat" ]; then cat "$(here "$3")"; exit; fi
if [ "$1 $3" = "storage describe" ]; then [ -e "$(here "$4")" ]; exit; fi
if [ "$1 $2" = "storage cp" ]; then
    shift 2
    to=${*: -1}
    [[ $to != gs://* ]] || { to=$(here "$to"); mkdir -p "$(dirname "$to")"; [[ $to != */ ]] || mkdir -p "$to"; }
    for from in "${@:1:$#-1}"; do
        [[ $from != gs://* ]] || from=$(here "$from")
        # shellcheck disable=SC2086
        if [ "$from" = - ]; then cat >"$to"; else cp $from "$to"; fi
    done
fi
"""
)


@dataclass(frozen=True)
class Bench:
    """A checkout with scripts of infra/deploy, and stand-ins for what they call."""

    folder: Path

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def bucket(self) -> Path:
        return self.folder / "buckets/my-state/kupyterhub"

    def program(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def take(self, *names: str) -> None:
        """Take scripts of infra/deploy over as they are."""
        for name in names:
            self.program(f"checkout/infra/deploy/{name}", (CHECKOUT / "infra/deploy" / name).read_text())

    def run(
        self, script: str, *arguments: str, said: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        variables = self.folder / "variables"
        return subprocess.run(
            [self.checkout / "infra/deploy" / script, *arguments],
            env={
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "CALLS": str(self.folder / "calls"),
                "BUCKETS": str(self.folder / "buckets"),
                "PROJECT": "my-project",
                "REGION": "europe-west1",
                "STATE_BUCKET": "my-state",
                "TAG": "0a1b2c3",
                "VARIABLES": str(variables),
                "SBOM": str(self.folder / "sbom"),
                **environment,
            },
            input=said,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    for program in ("terraform", "kubectl", "docker"):
        bench.program(f"bin/{program}", NOTE)
    bench.program("bin/gcloud", GCLOUD)
    for path in ("requirements.txt", "functions/main.py"):
        bench.program(f"checkout/{path}", path)
    for path in ("variables/data.tfvars.json", "variables/system.tfvars.json", "sbom/agent.cdx.json"):
        bench.program(path, path)
    bench.program("variables/smoke-emails", "a@example.com b@example.com\n")
    return bench
