"""Profiles with `storage.kind: gcs`: each person has a folder of the bucket, and nobody else a right in it."""

import pytest
from google.auth.exceptions import TransportError

from kupyterhub.adapters import folders as adapter
from kupyterhub.domain.errors import SettingsError, TransientError
from kupyterhub_local.state import CHECKOUT
from kupyterhub_rules.names import base_name
from twins import World
from twins.storage_api import BUCKET, CONTROLLER, CONTROLLERS_PERMISSIONS, ROLES, Refused, StorageApi
from twins.world import ADA, BOB, IN_BUCKET

USER = "roles/storage.objectUser"
VIEWER = "roles/storage.objectViewer"
POOL = "projects/123456789012/locations/global/workloadIdentityPools/my-project.svc.id.goog"
URL = f"https://storage.googleapis.com/storage/v1/b/{BUCKET}"


def principal(email: str) -> str:
    return f"principal://iam.googleapis.com/{POOL}/subject/ns/kupyterhub/sa/notebook-{base_name(email)}"


def own(email: str) -> str:
    return f"{base_name(email)}/"


@pytest.fixture
def world() -> World:
    return World(settings=IN_BUCKET)


@pytest.fixture
def two(world: World) -> World:
    """Ada and Bob, each with a file."""
    world.enrol("ada", ADA)
    world.enrol("bob", BOB)
    world.bucket.objects |= {f"{own(ADA)}a.ipynb", f"{own(BOB)}b.ipynb"}
    return world


def test_the_iam_of_two_people(two: World) -> None:
    assert {name: two.bucket.members(name) for name in two.bucket.folders} == {
        own(ADA): {USER: [principal(ADA)]},
        own(BOB): {USER: [principal(BOB)]},
    }


@pytest.mark.parametrize("role", sorted(ROLES))
def test_no_role_of_a_person_lets_them_change_who_has_rights(role: str) -> None:
    assert not [permission for permission in ROLES[role] if permission.endswith("IamPolicy")]


@pytest.mark.parametrize(("me", "other"), [(ADA, BOB), (BOB, ADA)])
def test_a_person_has_every_right_on_their_own_files_and_none_on_anothers(two: World, me: str, other: str) -> None:
    for permission in sorted({*ROLES[USER], *CONTROLLERS_PERMISSIONS}):
        mine = permission in ROLES[USER]
        for name in (own(me), f"{own(me)}x", f"{own(me)}deep/er"):
            assert two.bucket.may(principal(me), permission, name) == mine
        for name in (own(other), f"{own(other)}b.ipynb", own(other)[:-1], "", "shared/", "other"):
            assert not two.bucket.may(principal(me), permission, name)


def test_a_notebooks_own_requests_reach_its_folder_and_nothing_else(two: World) -> None:
    session = two.bucket.session(principal(ADA))
    mine, others = own(ADA), own(BOB)

    def status(path: str, method: str = "GET", **query: str) -> int:
        return int(session.request(method, f"{URL}/{path}", params=query).status_code)

    assert status("storageLayout", prefix=mine) == 200
    assert session.get(f"{URL}/o", params={"prefix": mine}).json()["items"] == [{"name": f"{mine}a.ipynb"}]
    for refused in (
        status("o"),
        status("o", prefix=others),
        status("o", prefix=mine[:3]),
        status("storageLayout"),
        status("managedFolders"),
        status("o/" + f"{others}b.ipynb".replace("/", "%2F")),
        status("o/" + f"{others}b.ipynb".replace("/", "%2F"), "DELETE"),
        status("managedFolders/" + others.replace("/", "%2F"), "DELETE"),
        status("managedFolders/" + mine.replace("/", "%2F") + "/iam"),
    ):
        assert refused == 403


def test_a_folder_is_made_and_granted_before_the_notebook_and_costs_nothing_afterwards(world: World) -> None:
    made: list[bool] = []
    world.cluster.requests.before(
        "create Deployment jupyterlab-*",
        lambda: made.append(world.bucket.may(principal(ADA), "storage.objects.create", own(ADA))),
    )
    world.enrol()
    assert made == [True]
    assert world.bucket.requests == [
        "POST managedFolders",
        f"GET managedFolders {own(ADA)} iam",
        f"PUT managedFolders {own(ADA)} iam",
        *(f"GET managedFolders shared/{name}/ iam" for name in ("course", "team")),
    ]
    world.bucket.requests.clear()
    world.clock.move(seconds=20)
    world.look()

    assert world.look().note == "unchanged"
    assert world.bucket.requests == []
    assert world.cluster.names("PersistentVolumeClaim") == []


def test_the_pod_mounts_its_folder_alone(world: World) -> None:
    world.enrol()
    name = base_name(ADA)
    template = world.cluster.get("Deployment", f"jupyterlab-{name}")["spec"]["template"]
    assert template["metadata"]["annotations"]["gke-gcsfuse/volumes"] == "true"
    assert template["metadata"]["labels"]["kupyterhub/bucket"] == "true"
    assert template["spec"]["serviceAccountName"] == f"notebook-{name}"
    assert template["spec"]["automountServiceAccountToken"] is False
    assert template["spec"]["volumes"] == [
        {
            "name": "home",
            "csi": {
                "driver": "gcsfuse.csi.storage.gke.io",
                "readOnly": False,
                "volumeAttributes": {
                    "bucketName": BUCKET,
                    "mountOptions": f"only-dir={name},implicit-dirs,uid=1000,gid=1000,file-mode=700,dir-mode=700,"
                    "enable-sidecar-bucket-access-check=false",
                    "skipCSIBucketAccessCheck": "true",
                },
            },
        },
        {"name": "tmp", "emptyDir": {"sizeLimit": "3Gi"}},
    ]


def test_a_group_shares_folders_each_with_the_access_of_its_profile(world: World) -> None:
    world.enrol("ada", ADA, profile="student")
    world.enrol("bob", BOB, profile="teacher")

    assert world.bucket.members("shared/course/") == {VIEWER: [principal(ADA)], USER: [principal(BOB)]}
    assert world.bucket.members("shared/team/") == {USER: [principal(ADA)]}
    assert not world.bucket.may(principal(BOB), "storage.objects.get", "shared/team/x")
    assert not world.bucket.may(principal(ADA), "storage.objects.create", "shared/course/x")
    spec = world.cluster.get("Deployment", f"jupyterlab-{base_name(ADA)}")["spec"]["template"]["spec"]
    mounts = {each["name"]: each["mountPath"] for each in spec["containers"][0]["volumeMounts"]}
    assert mounts["shared-course"] == "/home/jovyan/shared/course"
    csi = {each["name"]: each["csi"] for each in spec["volumes"] if "csi" in each}
    assert (csi["shared-course"]["readOnly"], csi["shared-team"]["readOnly"]) == (True, False)
    assert csi["shared-team"]["volumeAttributes"]["mountOptions"].startswith("only-dir=shared/team,")


def test_another_profile_takes_rights_on_shared_folders_at_the_next_start(world: World) -> None:
    world.ready("ada", ADA, profile="student")
    world.users.set("ada", profile="teacher")
    world.look()
    assert world.bucket.members("shared/team/") == {USER: [principal(ADA)]}

    world.users.set("ada", restart=True)
    world.look()

    assert world.bucket.members("shared/course/") == {USER: [principal(ADA)]}
    assert world.bucket.members("shared/team/") == {}


def test_a_policy_that_somebody_changes_meanwhile_is_read_again(world: World) -> None:
    world.enrol("ada", ADA, profile="student")
    world.bucket.requests.before(
        "PUT managedFolders shared/course/ iam", lambda: world.enrol("bob", BOB, profile="student")
    )

    world.enrol("eve", "eve@example.com", profile="student")

    members = [principal(email) for email in (ADA, BOB, "eve@example.com")]
    assert world.bucket.members("shared/course/") == {VIEWER: members}


def test_a_policy_that_never_holds_still_is_tried_again_later(world: World) -> None:
    def change(request: str) -> None:
        if request.startswith("PUT managedFolders shared/"):
            world.bucket.folders["shared/course/"]["etag"] += "x"

    world.bucket.requests.always.append(change)

    with pytest.raises(TransientError, match="kept changing"):
        world.enrol(profile="student")
    assert world.objects() == set()


def test_who_finds_a_shared_folder_full_is_told_and_starts_when_there_is_room(world: World) -> None:
    world.enrol(profile="student")
    full = {"role": USER, "members": [principal(f"{number}@example.com") for number in range(1499)]}
    world.bucket.folders["shared/course/"]["bindings"].append(full)

    world.enrol("bob", BOB, profile="student")

    assert (world.status("bob").phase, world.status("bob").reason) == ("Rejected", "StorageRefused")
    assert "the shared folder course has 1500 people" in (world.status("bob").message or "")
    assert world.objects("bob") == set()
    full["members"].pop()
    world.resync.run("all")
    world.deliver_bus()
    assert world.status("bob").phase == "Provisioning"
    assert world.status("ada").phase == "Provisioning"


def test_who_runs_is_left_running_when_a_folder_of_another_profile_is_full(world: World) -> None:
    world.ready(profile="default")
    full = [principal(f"{number}@example.com") for number in range(1500)]
    world.bucket.folders["shared/course/"] = {"etag": "e", "bindings": [{"role": VIEWER, "members": full}]}
    world.users.set("ada", profile="student", restart=True)

    world.look()

    assert world.status().phase == "Rejected"
    assert "What runs is left running" in (world.status().message or "")
    assert len(world.objects()) == 7


def test_rights_that_somebody_added_to_a_persons_folder_go_at_the_next_start(two: World) -> None:
    two.bucket.folders[own(ADA)]["bindings"].append({"role": USER, "members": [principal(BOB)]})
    two.users.set("ada", state="stopped")
    two.look()
    two.users.set("ada", state="running")
    two.look()

    assert two.bucket.members(own(ADA)) == {USER: [principal(ADA)]}


def purge(world: World) -> None:
    world.users.set("ada", state="deleted", purge=True)
    world.look()
    world.cluster.settle()
    world.clock.move(minutes=1)
    world.resync.run("due")
    world.deliver_bus()


def test_stop_and_delete_leave_the_folder(two: World) -> None:
    two.users.set("ada", state="deleted")
    two.look()
    two.users.remove("bob")
    two.look("bob", email=BOB)
    two.cluster.settle()
    two.resync.run("all")

    assert {own(ADA), own(BOB)} == set(two.bucket.folders)
    assert len(two.bucket.objects) == 2


def test_a_purge_removes_files_folder_and_rights_and_nobody_elses(two: World) -> None:
    two.bucket.folders["shared/course/"] = {"etag": "e", "bindings": [{"role": USER, "members": [principal(ADA)]}]}
    two.bucket.objects |= {"shared/course/ours.ipynb", own(ADA), f"{own(ADA)}dir/é %2F.txt"}
    two.bucket.folders[f"{own(ADA)}dir/"] = {"etag": "e", "bindings": []}
    two.bucket.page = 1

    purge(two)

    assert two.bucket.objects == {f"{own(BOB)}b.ipynb", "shared/course/ours.ipynb"}
    assert set(two.bucket.folders) == {own(BOB), "shared/course/"}
    assert two.bucket.members("shared/course/") == {}
    assert "purge" not in two.users.peek("ada").fields


def test_a_purge_waits_until_no_pod_is_left(two: World) -> None:
    two.cluster.settle()
    two.users.set("ada", state="deleted", purge=True)
    two.look()

    assert f"{own(ADA)}a.ipynb" in two.bucket.objects
    assert two.users.peek("ada").fields["purge"] is True


def test_a_purge_of_very_many_files_goes_on_at_the_next_look(two: World) -> None:
    two.bucket.objects |= {f"{own(ADA)}{number}" for number in range(51)}
    two.users.set("ada", state="deleted", purge=True)
    two.look()
    assert two.users.peek("ada").fields["purge"] is True
    assert own(ADA) in two.bucket.folders

    two.clock.move(minutes=1)
    two.look()

    assert own(ADA) not in two.bucket.folders
    assert "purge" not in two.users.peek("ada").fields


def test_a_purge_works_when_no_document_is_left(two: World) -> None:
    two.users.remove("ada")
    two.look(email=ADA)
    two.cluster.settle()

    two.delete_user(email=ADA, purge=True)

    assert set(two.bucket.folders) == {own(BOB)}


def test_a_purge_removes_the_disk_of_a_former_profile_too(world: World) -> None:
    world.enrol(profile="disk")
    world.users.set("ada", profile="default", restart=True)
    world.look()
    assert world.cluster.names("PersistentVolumeClaim")
    assert own(ADA) in world.bucket.folders

    purge(world)
    world.cluster.settle()
    world.look()

    assert not world.cluster.names("PersistentVolumeClaim")
    assert not world.bucket.folders


def test_a_change_of_kind_makes_nothing_until_the_notebook_starts_with_it(world: World) -> None:
    world.ready(profile="disk")
    world.users.set("ada", profile="default")
    world.look()

    assert world.bucket.folders == {}


@pytest.mark.parametrize("status", [403, 429, 500])
def test_an_answer_that_is_no_success_is_tried_again_and_not_told(world: World, status: int) -> None:
    def refuse() -> None:
        raise Refused(status)

    world.bucket.requests.before("POST managedFolders", refuse)

    with pytest.raises(TransientError, match=f"Cloud Storage answered {status}") as raised:
        world.enrol()
    assert "secret" not in str(raised.value)
    assert world.objects() == set()


def test_no_name_of_a_file_is_told(two: World) -> None:
    def refuse() -> None:
        raise Refused(500)

    two.bucket.requests.before("DELETE o *", refuse)
    two.users.set("ada", state="deleted", purge=True)

    with pytest.raises(TransientError, match="answered 500: DELETE o") as raised:
        two.look()
    assert "a.ipynb" not in str(raised.value)


def test_credentials_that_cannot_be_had_are_tried_again(world: World) -> None:
    def refuse() -> None:
        raise TransportError("the secret reason")

    world.bucket.requests.before("POST managedFolders", refuse)

    with pytest.raises(TransientError, match="Cloud Storage is away") as raised:
        world.enrol()
    assert "secret" not in str(raised.value)


def test_without_credentials_the_settings_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")

    with pytest.raises(SettingsError, match="bucket: no Google credentials"):
        adapter.connect()


def test_the_twin_gives_the_controller_what_terraform_does_and_no_file() -> None:
    text = (CHECKOUT / "infra/gcp/system/custom_roles.tf").read_text()
    (listed,) = [part.split("]")[0] for part in text.split("kupyterhubFolders = [")[1:]]

    assert {line.strip(' ",') for line in listed.splitlines() if line.strip()} == CONTROLLERS_PERMISSIONS
    assert not StorageApi(objects={"x"}).may(CONTROLLER, "storage.objects.get", "x")
