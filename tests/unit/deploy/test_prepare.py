"""What is made before the first deploy."""

import re
from pathlib import Path

from unit.deploy.conftest import CHECKOUT, NOTE, Bench

ROLES = CHECKOUT / "infra/deploy/roles.txt"


def test_every_role_has_its_reason() -> None:
    lines = [line for line in ROLES.read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(lines)
    for line in lines:
        assert re.fullmatch(r"roles/[a-zA-Z.]+ {2,}\S.*", line), line


def test_the_deploy_is_granted_these_roles_and_no_other(bench: Bench) -> None:
    bench.take("prepare.sh")
    bench.program("checkout/infra/deploy/roles.txt", ROLES.read_text())
    bench.program("bin/gcloud", NOTE + '[ "$3" != describe ]\n')
    done = bench.run("prepare.sh")
    assert done.returncode == 0, done.stderr
    granted = re.findall(r"--role=(\S+)", "\n".join(bench.calls))
    assert granted == [line.split()[0] for line in ROLES.read_text().splitlines() if not line.startswith("#")]
    assert "roles/owner" not in granted
    assert any(
        "buckets create gs://my-state" in call and "--public-access-prevention" in call for call in bench.calls
    )
    assert any("buckets update gs://my-state --versioning" in call for call in bench.calls)


def test_what_is_there_already_is_not_made_again(bench: Bench, tmp_path: Path) -> None:
    bench.take("prepare.sh")
    bench.program("checkout/infra/deploy/roles.txt", ROLES.read_text())
    bench.program("bin/gcloud", NOTE)
    assert bench.run("prepare.sh").returncode == 0
    # Google's own account: it is asked for, and made where it is not there.
    assert [call.split()[1:5] for call in bench.calls if " create " in call] == [
        ["beta", "services", "identity", "create"]
    ]
