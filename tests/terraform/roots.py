"""A Terraform root, copied to a folder where it can be validated and planned without Google."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terraform.published import PROVIDER_VERSION

CHECKOUT = Path(__file__).resolve().parents[2]
ROOTS = CHECKOUT / "infra/gcp"
_MIRROR = "registry.terraform.io/hashicorp/google"
_IN_A_FILE = """
terraform {
  backend "local" {}
}
"""


class TerraformError(Exception):
    """Terraform refused; the text is its errors, without its line breaks."""


@dataclass(frozen=True)
class Root:
    """A copy of a root in a folder of its own, initialised."""

    folder: Path
    environment: dict[str, str] = field(repr=False)

    @classmethod
    def copy(cls, source: Path, folder: Path, schema: Path, google: dict[str, Any], overrides: str = "") -> "Root":
        """Copy a root; `google` is what Google fills in (provider.py), `overrides` more Terraform."""
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".terraform*"))
        (folder / "kupyterhub_override.tf").write_text(_IN_A_FILE + overrides)
        mirror = _mirror(folder / ".mirror")
        text = "\n".join(file.read_text() for file in folder.glob("*.tf"))
        root = cls(
            folder,
            {
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "TF_CLI_CONFIG_FILE": str(mirror),
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
                "TF_DISABLE_PLUGIN_TLS": "1",
                "KUPYTERHUB_PROVIDER_SCHEMA": str(schema),
                "KUPYTERHUB_PROVIDER_TYPES": " ".join(sorted(set(re.findall(r'"(google_\w+)"', text)))),
                "KUPYTERHUB_PROVIDER_GOOGLE": json.dumps(google),
            },
        )
        root.run("init", "-input=false", "-no-color")
        return root

    def run(self, *arguments: str) -> str:
        """Run terraform; return what it printed; raises TerraformError."""
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = done.stdout + done.stderr
            raise TerraformError(" ".join(said[said.find("Error: ") :].split()))
        return done.stdout

    def plan(self, **variables: Any) -> "Plan":
        """Plan from nothing; raises TerraformError, among others where a variable or a condition is refused."""
        (self.folder / "test.tfvars.json").write_text(json.dumps(variables))
        common = ("-input=false", "-no-color", "-refresh=false")
        self.run("plan", *common, "-lock=false", "-var-file=test.tfvars.json", "-out=plan")
        return Plan(json.loads(self.run("show", "-json", "plan")))


@dataclass(frozen=True)
class Plan:
    """What would be made, as `terraform show -json` tells it."""

    tree: dict[str, Any]

    def of(self, type_name: str) -> dict[str, dict[str, Any]]:
        """Return the planned resources of a type by their addresses, without the type's name."""
        return {
            change["address"].removeprefix(f"{type_name}."): change["change"]["after"]
            for change in self.tree.get("resource_changes", [])
            if change["type"] == type_name and change["mode"] == "managed"
        }

    @property
    def types(self) -> set[str]:
        """The types of everything that would be made."""
        return {change["type"] for change in self.tree.get("resource_changes", []) if change["mode"] == "managed"}

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs that are known before anything is made."""
        return {name: change.get("after") for name, change in self.tree.get("output_changes", {}).items()}


def _mirror(folder: Path) -> Path:
    """Make a folder in which Terraform finds the tests' provider; return the configuration that says so."""
    package = folder / _MIRROR / PROVIDER_VERSION / _platform()
    package.mkdir(parents=True)
    program = package / f"terraform-provider-google_v{PROVIDER_VERSION}"
    paths = [str(CHECKOUT / "tests"), str(CHECKOUT / "infra/local")]
    program.write_text(
        f"#!{sys.executable}\nimport runpy, sys\nsys.path[:0] = {paths!r}\n"
        'runpy.run_module("terraform.provider", run_name="__main__")\n'
    )
    program.chmod(0o755)
    configuration = folder / "terraformrc"
    configuration.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}"\n  }}\n}}\n')
    return configuration


def _platform() -> str:
    if shutil.which("terraform") is None:
        raise TerraformError(
            "There is no Terraform here. Install 1.11 or newer: https://developer.hashicorp.com/terraform/install"
        )
    told = subprocess.run(["terraform", "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"on (\w+)", told)
    assert found is not None, told
    return found[1]
