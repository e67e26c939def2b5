"""A Google Cloud project as `gcloud`, `terraform`, `kubectl` and `docker` show it.

It is strict about order: nothing is there before it was made, an API answers once it is on, and what Google takes
minutes to know everywhere is refused at first. Time is counted in calls. Terraform makes the resources of the real
roots, in the order of their graph.

Scripts find the four as programs, which ask this process; `Project.gcloud` is the same within a test.
"""

import copy
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import yaml

PROJECT = "my-project"
NUMBER = "12345"
STATE_BUCKET = f"gs://{PROJECT}-kupyterhub-state"
DEPLOYS = f"kupyterhub-deploy@{PROJECT}.iam.gserviceaccount.com"
_OWN = f"service-{NUMBER}@gcp-sa-{{}}.iam.gserviceaccount.com"
_SETTLES = 4
"""Calls until something that was just made is known everywhere."""
_METRIC_SETTLES = 12
_TAKE = {"google_cloudfunctions2_function": 20, "google_container_cluster": 20}
_API_OF = {
    "artifact_registry": "artifactregistry",
    "certificate_manager": "certificatemanager",
    "cloud_run": "run",
    "cloud_scheduler": "cloudscheduler",
    "cloudfunctions2": "cloudfunctions",
    "compute": "compute",
    "container": "container",
    "dns": "dns",
    "firebaserules": "firebaserules",
    "firestore": "firestore",
    "logging": "logging",
    "monitoring": "monitoring",
    "pubsub": "pubsub",
    "secret_manager": "secretmanager",
    "storage": "storage",
    "workflows": "workflows",
}
_NEEDS = {
    "google_pubsub_topic_iam_member.accounts": "google_container_cluster.cluster",
    "google_container_node_pool.pools": "google_container_cluster.cluster",
    "google_container_cluster.cluster": "google_compute_subnetwork.cluster",
}
_PROTECTED = (
    "google_container_cluster.cluster",
    "google_firestore_database.users",
    "google_secret_manager_secret.master",
    "google_storage_bucket.notebooks",
)
_SECRETS_OF = {
    "google_cloudfunctions2_function.functions": ("kupyterhub-master-secret",),
    "google_cloudfunctions2_function.portal": ("kupyterhub-portal-session-key",),
    "google_cloud_run_v2_service.proxy": ("kupyterhub-proxy-session-key", "kupyterhub-proxy-client-secret"),
}
_MADE_SECRETS = {
    "google_secret_manager_secret.master": ("kupyterhub-master-secret",),
    "google_secret_manager_secret.proxy": ("kupyterhub-proxy-session-key", "kupyterhub-proxy-client-secret"),
}
_EMPTY: dict[str, Any] = {
    "now": 0,
    "fails": [],
    "seen": [],
    "apis": {},
    "agents": {},
    "accounts": {},
    "bindings": [],
    "bound": {},
    "buckets": [],
    "objects": {},
    "secrets": {},
    "built": [],
    "images": [],
    "resources": {"data": {}, "system": {}},
    "gateway": False,
    "groups": 0,
    "builds": {},
    "logs": {},
    "published": 0,
}


class Refused(Exception):
    """What the program says on standard error before it ends with 1."""


class Project:
    """The project, and a folder with its checkout, its programs and Terraform's graphs."""

    def __init__(self, folder: Path, graphs: Mapping[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.graphs = graphs
        self.state: dict[str, Any] = copy.deepcopy(_EMPTY)
        self.port = 0

    def point(self, label: str) -> None:
        """Count a call, and refuse it if it is the one that is to fail."""
        self.state["now"] += 1
        if label not in self.state["seen"]:
            self.state["seen"].append(label)
        if label in self.state["fails"]:
            if label.startswith("terraform google_"):
                # A resource of each kind once: a deploy tries three times.
                self.state["fails"].remove(label)
            raise Refused(f"ERROR: {label}: 503 The service is currently unavailable.")

    # gcloud

    def gcloud(self, arguments: Sequence[str], given: str) -> str:
        """Run `gcloud`; raises Refused."""
        words = [each for each in arguments if not each.startswith("-")]
        options = dict(each.removeprefix("--").partition("=")[::2] for each in arguments if each.startswith("--"))
        words = words[1:] if words[0] == "beta" else words
        label = " ".join(words[:3] if words[0] != "storage" or words[1] in _NOUNS else words[:2])
        self.point(f"gcloud {label}{' --recursive' * ('recursive' in options)}")
        for length in (4, 3, 2):
            if command := _GCLOUD.get(" ".join(words[:length])):
                return command(self, words[length:], options, given) or ""
        raise Refused(f"ERROR: (gcloud) Invalid choice: {shlex.join(arguments)}")

    def wants(self, api: str) -> None:
        """Refuse what an API that is off would be asked."""
        made = self.state["apis"].get(api)
        if made is None or self.state["now"] < made + 1:
            raise Refused(f"ERROR: API [{api}.googleapis.com] not enabled on project [{PROJECT}].")

    def knows(self, member: str) -> bool:
        """Whether IAM knows an account by now."""
        made = self.state["accounts"].get(member, self.state["agents"].get(member))
        return made is not None and self.state["now"] > made + _SETTLES

    def may(self, role: str, member: str) -> bool:
        """Whether a grant is there, and known everywhere by now."""
        since = self.state["bound"].get(f"{role} {member}", self.state["now"])
        return [role, member] in self.state["bindings"] and self.state["now"] > since + _SETTLES

    def is_there(self, there: Any, what: str) -> None:
        """Refuse where it is not."""
        if not there:
            raise Refused(f"ERROR: NOT_FOUND: {what} not found.")

    # Terraform

    def terraform(self, arguments: Sequence[str]) -> str:
        """Run `terraform`; raises Refused."""
        root = Path(next(each for each in arguments if each.startswith("-chdir=")).partition("=")[2]).name
        words = [each for each in arguments if not each.startswith("-")]
        options = [each for each in arguments if each.startswith("-") and not each.startswith("-chdir")]
        self.point(f"terraform {root} {words[0]}")
        made = self.state["resources"][root]
        match words[0]:
            case "init":
                bucket = next(each for each in options if each.startswith("-backend-config=bucket="))
                self.is_there(f"gs://{bucket.rpartition('=')[2]}" in self.state["buckets"], "bucket")
            case "state":
                if f"{STATE_BUCKET}/kupyterhub/{root}/default.tfstate" not in self.state["objects"]:
                    raise Refused("No state file was found!\n\nState management commands require a state file.")
                return "\n".join(made)
            case "output":
                return json.dumps(self.graph(root)["outputs"] if made else {})
            case "plan":
                self._reads_data(root)
            case "apply":
                self._reads_data(root)
                self._apply(root, options)
            case "destroy":
                self._reads_data(root)
                self._destroy(root, options)
        return ""

    def graph(self, root: str) -> dict[str, Any]:
        """Resources in order, what each comes after, and the outputs."""
        return self.graphs[root]

    def _reads_data(self, root: str) -> None:
        if root == "system" and f"{STATE_BUCKET}/kupyterhub/data/default.tfstate" not in self.state["objects"]:
            raise Refused("Error: Unable to find remote state")

    def _apply(self, root: str, options: Sequence[str]) -> None:
        graph = self.graph(root)
        targets = {each.partition("=")[2].partition("[")[0] for each in options if each.startswith("-target=")}
        wanted = set(graph["order"]) if not targets else set(_with_all_before(targets, graph["after"]))
        unprotected = "-var=deletion_protection=false" in options
        for resource in graph["order"]:
            if resource in wanted:
                if resource not in self.state["resources"][root]:
                    self._make(root, resource)
                self.state["resources"][root][resource]["protected"] = resource in _PROTECTED and not unprotected
                self._keep_state(root)

    def _make(self, root: str, resource: str) -> None:
        kind = resource.partition(".")[0]
        self.point(f"terraform {kind}")
        self._keep_state(root)
        state = self.state
        for part, api in _API_OF.items():
            if kind.startswith(f"google_{part}"):
                self.wants(api)
        self._refuses(root, resource)
        if resource == "google_project_service.apis":
            text = (self.folder / "checkout/infra/gcp" / root / "apis.tf").read_text()
            for api in re.findall(r'"(\w+)\.googleapis\.com"', text):
                state["apis"].setdefault(api, state["now"])
        for secret in _MADE_SECRETS.get(resource, ()):
            state["secrets"].setdefault(secret, [])
        state["resources"][root][resource] = {"made": state["now"]}
        state["now"] += _TAKE.get(kind, 1)

    def _refuses(self, root: str, resource: str) -> None:
        """What Google does not take yet."""
        state = self.state
        if resource in _NEEDS and _NEEDS[resource] not in state["resources"][root]:
            raise Refused(f"Error: {resource}: {_NEEDS[resource]} does not exist.")
        for secret in _SECRETS_OF.get(resource, ()):
            if not state["secrets"].get(secret):
                raise Refused(f"Error: {resource}: Secret {secret} has no version.")
        if resource == "google_cloudfunctions2_function.functions":
            agent = _OWN.format("eventarc")
            if not self.may("roles/eventarc.serviceAgent", agent):
                raise Refused("Error: Permission denied while using the Eventarc Service Agent.")
            state["tried"] = state.get("tried", 0) + 1
            if state["tried"] == 1:
                raise Refused("Error: If you recently started to use Eventarc, it may take a few minutes.")
        if resource.startswith("google_monitoring_alert_policy."):
            metric = state["resources"][root].get("google_logging_metric.metrics", {}).get("made", state["now"])
            if state["now"] < metric + _METRIC_SETTLES:
                raise Refused("Error 404: Cannot find metric that matches type; wait up to 10 minutes.")

    def _destroy(self, root: str, options: Sequence[str]) -> None:
        made = self.state["resources"][root]
        for resource in reversed(self.graph(root)["order"]):
            if resource not in made:
                continue
            self.point(f"terraform destroy {resource.partition('.')[0]}")
            if made[resource].get("protected"):
                raise Refused(f"Error: {resource}: deletion_protection is set to true; set it to false and apply.")
            if resource.startswith("google_compute_network.") and self.state["groups"]:
                raise Refused("Error: The network resource is already being used by network endpoint groups.")
            if resource == "google_container_cluster.cluster":
                # Nobody takes a load balancer down without it.
                self.state["groups"] += 2 if self.state["gateway"] else 0
            for secret in _MADE_SECRETS.get(resource, ()):
                self.state["secrets"].pop(secret, None)
            del made[resource]
            self._keep_state(root)

    def _keep_state(self, root: str) -> None:
        outputs = self.graph(root)["outputs"]
        text = json.dumps({"resources": sorted(self.state["resources"][root]), "outputs": outputs})
        self.state["objects"][f"{STATE_BUCKET}/kupyterhub/{root}/default.tfstate"] = text

    # The others

    def kubectl(self, arguments: Sequence[str]) -> str:
        """Run `kubectl`; raises Refused."""
        words = [each for each in arguments if not each.startswith("-")]
        self.point(f"kubectl {' '.join(words[:2] if words[0] != 'apply' else words[:1])}")
        self.is_there("google_container_cluster.cluster" in self.state["resources"]["system"], "cluster")
        if words[:2] == ["get", "endpointslices"]:
            return "10.0.0.2"
        if words[:2] == ["get", "secret"]:
            raise Refused("Error from server (NotFound)")
        if words[0] == "apply" and "-k" in arguments:
            self.state.update(gateway=True, groups=2)
        if words[:2] == ["delete", "gateway"]:
            self.state.update(gateway=False, groups=0)
        return ""

    def docker(self, arguments: Sequence[str]) -> str:
        """Run `docker`; raises Refused."""
        self.point(f"docker {arguments[0]}")
        image = arguments[-1]
        match arguments[0]:
            case "pull":
                self.is_there(image in self.state["images"], image)
                self.state["built"].append(image)
            case "build":
                self.state["built"].append(arguments[list(arguments).index("--tag") + 1])
            case "push":
                self.is_there(image in self.state["built"], image)
                registry = "google_artifact_registry_repository.repositories"
                self.is_there(registry in self.state["resources"]["system"], "repository")
                if image not in self.state["images"]:
                    self.state["images"].append(image)
        return ""

    # Cloud Build

    def build(self, checkout: Path, options: Mapping[str, str]) -> str:
        """Run a build's scripts at once, each in its step; those of tests and scans pass."""
        self.wants("cloudbuild")
        self.is_there(self.knows(DEPLOYS), DEPLOYS)
        config = yaml.safe_load(Path(options["config"]).read_text())
        given = dict(each.split("=", 1) for each in options["substitutions"].split(","))
        values = {**config["substitutions"], **given, "PROJECT_ID": PROJECT}
        number = f"build-{len(self.state['builds']) + 1}"
        steps = [{"id": step["id"], "status": "QUEUED"} for step in config["steps"]]
        build = {"id": number, "status": "WORKING", "steps": steps, "logUrl": f"https://example.com/{number}"}
        self.state["builds"][number] = build
        self.state["logs"][number] = ""
        environment = dict(_expand(each, values).split("=", 1) for each in config["options"]["env"])
        for step, shown in zip(config["steps"], steps, strict=True):
            code = self._run(checkout, [_expand(each, values) for each in step["args"]], environment, number)
            shown.update(status="FAILURE" if code else "SUCCESS", timing=_AN_HOUR)
            if code:
                break
        build["status"] = "FAILURE" if code else "SUCCESS"
        self.state["builds"][number] = build
        return number

    def _run(self, checkout: Path, arguments: Sequence[str], environment: Mapping[str, str], number: str) -> int:
        if not re.search(
            r"infra/deploy/(plan|image|registry|push|release|uninstall|rollback)\.sh", " ".join(arguments)
        ):
            return 0
        roles = (checkout / "infra/deploy/roles.txt").read_text().splitlines()
        lacking = [line for line in roles if line[:1] != "#" and not self.may(line.split()[0], DEPLOYS)]
        if lacking:
            self.state["logs"][number] += f"PERMISSION_DENIED: {lacking[0]}\n"
            return 1
        done = subprocess.run(
            ["bash", *arguments],
            cwd=checkout,
            env={
                "PATH": f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "STAND_IN": str(self.port),
                "PAUSE_SECONDS": "0",
                **environment,
                # There, the same path in every build.
                **{name: str(self.folder / "workspace" / name) for name in ("VARIABLES", "SBOM")},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.state["logs"][number] += done.stdout
        return done.returncode


_AN_HOUR = {"startTime": "2026-01-01T10:00:00Z", "endTime": "2026-01-01T10:01:01Z"}
_QUOTAS = [{"metric": metric, "limit": 200.0, "usage": 0.0} for metric in ("CPUS", "NVIDIA_L4_GPUS")]
_ZONE = {"name": "example-com", "dnsName": "example.com."}
_NOUNS = ("buckets", "objects")
Command = Callable[[Project, list[str], dict[str, str], str], str | None]


def _expand(text: str, values: Mapping[str, str]) -> str:
    for _ in range(3):  # a substitution may hold another
        text = re.sub(r"\$\{?([A-Z_]+)\}?", lambda found: values.get(found[1], found[0]), text)
    return text


def _with_all_before(targets: set[str], after: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = set[str]()
    waiting = list(targets)
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += after.get(each, ())
    return iter(found)


def _enable(project: Project, words: list[str], _: dict[str, str], __: str) -> None:
    for api in words:
        project.state["apis"].setdefault(api.removesuffix(".googleapis.com"), project.state["now"])


def _identity(project: Project, _: list[str], options: dict[str, str], __: str) -> None:
    service = options["service"].removesuffix(".googleapis.com")
    project.wants(service)
    project.state["agents"].setdefault(_OWN.format(service), project.state["now"])


def _bind(project: Project, _: list[str], options: dict[str, str], __: str) -> None:
    member = options["member"].removeprefix("serviceAccount:")
    project.is_there(project.knows(member), f"Service account {member}")
    if [options["role"], member] not in project.state["bindings"]:
        project.state["bindings"].append([options["role"], member])
        project.state["bound"][f"{options['role']} {member}"] = project.state["now"]


def _unbind(project: Project, _: list[str], options: dict[str, str], __: str) -> None:
    binding = [options["role"], options["member"].removeprefix("serviceAccount:")]
    project.is_there(binding in project.state["bindings"], "Policy binding")
    project.state["bindings"].remove(binding)


def _policy(project: Project, _: list[str], __: dict[str, str], ___: str) -> str:
    bindings = [{"role": role, "members": [f"serviceAccount:{m}"]} for role, m in project.state["bindings"]]
    return json.dumps({"bindings": bindings})


def _regions(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    project.wants("compute")
    return json.dumps({"name": words[0], "quotas": _QUOTAS})


def _project_info(project: Project, _: list[str], __: dict[str, str], ___: str) -> str:
    project.wants("compute")
    return json.dumps({"quotas": _QUOTAS})


def _describe_bucket(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    project.is_there(words[0] in project.state["buckets"], words[0])
    return "{}"


def _create_bucket(project: Project, words: list[str], _: dict[str, str], __: str) -> None:
    project.wants("storage")
    if words[0] in project.state["buckets"]:
        raise Refused("ERROR: 409 You already own this bucket.")
    project.state["buckets"].append(words[0])


def _account(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    project.wants("iam")
    project.is_there(words[0] in project.state["accounts"], words[0])
    return "{}"


def _create_account(project: Project, words: list[str], _: dict[str, str], __: str) -> None:
    project.wants("iam")
    project.state["accounts"][f"{words[0]}@{PROJECT}.iam.gserviceaccount.com"] = project.state["now"]


def _delete_account(project: Project, words: list[str], _: dict[str, str], __: str) -> None:
    del project.state["accounts"][words[0]]


def _secret(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    project.wants("secretmanager")
    project.is_there(words[0] in project.state["secrets"], words[0])
    return "{}"


def _create_secret(project: Project, words: list[str], _: dict[str, str], __: str) -> None:
    project.wants("secretmanager")
    if words[0] in project.state["secrets"]:
        raise Refused("ERROR: ALREADY_EXISTS")
    project.state["secrets"][words[0]] = []


def _delete_secret(project: Project, words: list[str], _: dict[str, str], __: str) -> None:
    del project.state["secrets"][words[0]]


def _versions(project: Project, words: list[str], options: dict[str, str], _: str) -> str:
    _secret(project, words, options, "")
    versions = [{"name": str(number + 1)} for number in range(len(project.state["secrets"][words[0]]))]
    return json.dumps(versions) if options.get("format") == "json" else "\n".join(v["name"] for v in versions)


def _add_version(project: Project, words: list[str], options: dict[str, str], given: str) -> None:
    _secret(project, words, options, "")
    project.state["secrets"][words[0]].append(given.strip())


def _access(project: Project, _: list[str], options: dict[str, str], __: str) -> str:
    project.is_there(project.state["secrets"].get(options["secret"]), options["secret"])
    return str(project.state["secrets"][options["secret"]][-1])


def _cat(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    project.is_there(words[0] in project.state["objects"], words[0])
    return str(project.state["objects"][words[0]])


def _copy(project: Project, words: list[str], _: dict[str, str], given: str) -> None:
    *sources, to = words
    for source in sources:
        if source.startswith("gs://"):
            text = _cat(project, [source], {}, "")
        else:
            text = given if source == "-" else Path(source).read_text(errors="replace")
        if to.startswith("gs://"):
            project.is_there("/".join(to.split("/")[:3]) in project.state["buckets"], "bucket")
            project.state["objects"][to + (Path(source).name if to.endswith("/") else "")] = text
        else:
            (Path(to) / source.rpartition("/")[2]).write_text(text)


def _remove(project: Project, words: list[str], options: dict[str, str], _: str) -> None:
    state = project.state
    if "recursive" in options:
        state["buckets"].remove(words[0])
        state["objects"] = {name: text for name, text in state["objects"].items() if not name.startswith(words[0])}
    else:
        project.is_there(words[0] in state["objects"], words[0])
        del state["objects"][words[0]]


def _objects(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    return "\n".join(name for name in project.state["objects"] if name.startswith(words[0].rstrip("*")))


def _object(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    _cat(project, words, {}, "")
    return "{}"


def _image(project: Project, words: list[str], _: dict[str, str], __: str) -> str:
    project.is_there(words[0] in project.state["images"], words[0])
    return "{}"


def _credentials(project: Project, _: list[str], __: dict[str, str], ___: str) -> None:
    project.is_there("google_container_cluster.cluster" in project.state["resources"]["system"], "cluster")


def _groups(project: Project, _: list[str], __: dict[str, str], ___: str) -> str:
    project.wants("compute")
    return "\n".join(f"k8s1-{number} europe-west1-b" for number in range(project.state["groups"]))


def _delete_group(project: Project, _: list[str], __: dict[str, str], ___: str) -> None:
    project.state["groups"] -= 1


def _publish(project: Project, _: list[str], __: dict[str, str], ___: str) -> None:
    project.is_there("google_pubsub_topic.topics" in project.state["resources"]["system"], "topic")
    project.state["published"] += 1


def _submit(project: Project, words: list[str], options: dict[str, str], _: str) -> str:
    project.is_there(options["gcs-source-staging-dir"].startswith(tuple(project.state["buckets"])), "bucket")
    with TemporaryDirectory() as folder:
        with tarfile.open(words[0]) as archive:
            archive.extractall(folder, filter="data")
        return project.build(Path(folder), options)


def _log(project: Project, words: list[str], options: dict[str, str], _: str) -> str:
    asked = re.search(r'labels.build_id="([^"]+)"(?:.*textPayload:"([^"]+)")?', words[0])
    project.is_there(asked and asked[1] in project.state["logs"], words[0])
    lines = [line for line in project.state["logs"][asked[1]].splitlines() if not asked[2] or asked[2] in line]
    lines = lines[::-1][: int(options["limit"])] if options["order"] == "desc" else lines
    return "\n".join(lines)


_GCLOUD: dict[str, Command] = {
    "artifacts docker images describe": _image,
    "billing projects describe": lambda *_: json.dumps({"billingEnabled": True}),
    "builds describe": lambda project, words, *_: json.dumps(project.state["builds"][words[0]]),
    "builds list": lambda *_: "[]",
    "builds submit": _submit,
    "compute disks list": lambda *_: "",
    "compute network-endpoint-groups delete": _delete_group,
    "compute network-endpoint-groups list": _groups,
    "compute project-info describe": _project_info,
    "compute regions describe": _regions,
    "compute snapshots list": lambda *_: "",
    "container clusters get-credentials": _credentials,
    "dns managed-zones describe": lambda *_: json.dumps(_ZONE),
    "dns managed-zones list": lambda *_: json.dumps([_ZONE]),
    "iam service-accounts create": _create_account,
    "iam service-accounts delete": _delete_account,
    "iam service-accounts describe": _account,
    "iap settings set": lambda *_: "",
    "logging read": _log,
    "projects add-iam-policy-binding": _bind,
    "projects describe": lambda *_: json.dumps({"projectNumber": NUMBER}),
    "projects get-iam-policy": _policy,
    "projects remove-iam-policy-binding": _unbind,
    "pubsub topics publish": _publish,
    "secrets create": _create_secret,
    "secrets delete": _delete_secret,
    "secrets describe": _secret,
    "secrets versions access": _access,
    "secrets versions add": _add_version,
    "secrets versions list": _versions,
    "services enable": _enable,
    "services identity create": _identity,
    "storage buckets create": _create_bucket,
    "storage buckets describe": _describe_bucket,
    "storage buckets update": _describe_bucket,
    "storage cat": _cat,
    "storage cp": _copy,
    "storage ls": lambda project, *_: "\n".join(f"{bucket}/" for bucket in project.state["buckets"]),
    "storage objects describe": _object,
    "storage objects list": _objects,
    "storage rm": _remove,
}


_PROGRAM = """#!/usr/bin/env bash
given=
[[ " $* " != *" - "* && " $* " != *"=- "* ]] || given=$(cat)
exec 3<>"/dev/tcp/127.0.0.1/$STAND_IN"
printf '%s\\0' "${0##*/}" "$given" "$@" $'\\x04' >&3
IFS= read -r code <&3
[ "$code" = 0 ] || exec >&2
cat <&3
exit "$code"
"""


class _Answers(StreamRequestHandler):
    """One call of a program."""

    def handle(self) -> None:
        asked = b""
        while not asked.endswith(b"\0\x04\0"):
            asked += self.rfile.read1(1 << 16)
        name, given, *arguments = asked.decode().split("\0")[:-2]
        project: Project = self.server.project  # type: ignore[attr-defined]
        try:
            said, code = getattr(project, name)(*((arguments, given) if name == "gcloud" else (arguments,))), 0
        except Refused as refused:
            said, code = str(refused), 1
        self.wfile.write(f"{code}\n{said}{chr(10) if said else ''}".encode())


@contextmanager
def programs(project: Project) -> Iterator[None]:
    """Let scripts of this project's builds call the four."""
    (project.folder / "bin").mkdir()
    for name in ("gcloud", "terraform", "kubectl", "docker"):
        program = project.folder / "bin" / name
        program.write_text(_PROGRAM)
        program.chmod(0o755)
    with TCPServer(("127.0.0.1", 0), _Answers) as server:
        server.project = project  # type: ignore[attr-defined]
        project.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
