"""What is made before the first deploy."""

import re
from pathlib import Path

import pytest

from unit.deploy.conftest import CHECKOUT, NOTE, Bench

NUMBER = NOTE + '[ "$2" != describe ] || echo 12345\n'
FRESH = NUMBER + '[ "$3" != describe ]\n'
LATE = (
    NUMBER
    + """
left=$(dirname "$CALLS")/refusals
if [[ $* = *gcp-sa-eventarc* && -s $left ]]; then
    truncate --size=-1 "$left"
    echo "service-12345@gcp-sa-eventarc.iam.gserviceaccount.com does not exist" >&2
    exit 1
fi
"""
)
ROLES = CHECKOUT / "infra/deploy/roles.txt"


def test_every_role_has_its_reason() -> None:
    lines = [line for line in ROLES.read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(lines)
    for line in lines:
        assert re.fullmatch(r"roles/[a-zA-Z.]+ {2,}\S.*", line), line


def test_the_deploy_is_granted_these_roles_and_no_other(bench: Bench) -> None:
    bench.take("prepare.sh")
    bench.program("checkout/infra/deploy/roles.txt", ROLES.read_text())
    bench.program("bin/gcloud", FRESH)
    done = bench.run("prepare.sh")
    assert done.returncode == 0, done.stderr
    deploys = [call for call in bench.calls if "--member=serviceAccount:kupyterhub-deploy@" in call]
    granted = re.findall(r"--role=(\S+)", "\n".join(deploys))
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
    # Google's own accounts: they are asked for, and made where they are not there.
    made = [re.fullmatch(r"gcloud beta services identity create --service=(\w+)\..*", call) for call in bench.calls]
    assert [each[1] for each in made if each] == ["iap", "pubsub", "eventarc"]
    assert len([call for call in bench.calls if " create " in call]) == 3


@pytest.mark.parametrize(("refusals", "code"), [(0, 0), (11, 0), (12, 1)])
def test_an_account_that_google_has_just_made_is_waited_for(bench: Bench, refusals: int, code: int) -> None:
    bench.take("prepare.sh")
    bench.program("checkout/infra/deploy/roles.txt", ROLES.read_text())
    (bench.folder / "refusals").write_text("x" * refusals)
    bench.program("bin/gcloud", LATE)
    done = bench.run("prepare.sh", PAUSE_SECONDS="0")
    assert done.returncode == code, done.stderr
    asked = [call for call in bench.calls if "gcp-sa-eventarc" in call]
    assert len(asked) == min(refusals, 11) + 1
    assert all(
        "service-12345@gcp-sa-eventarc" in call and "--role=roles/eventarc.serviceAgent" in call for call in asked
    )
    assert ("run this again" in done.stderr) is bool(code)
