# ruff: noqa: INP001 - a script, of no package
"""Judges known vulnerabilities that scanners found: a build with one that matters ends.

    vulnerabilities.py packages FILE…    what pip-audit wrote (--format json), of Python packages
    vulnerabilities.py images FILE…      what `gcloud artifacts docker images list-vulnerabilities` wrote, of images

Those count that a command takes up: a newer package has them mended, for the Debian that the image has. Of images,
they are also high or critical, and of use to who is not in the container already. A base always has others. What
accepted-vulnerabilities.txt names is let pass until its date.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).with_name("accepted-vulnerabilities.txt")

# A tag is one image for ever, so what Debian has mended since is in the images of another commit.
_IMAGES_ANEW = "git commit --allow-empty --message='Images with what Debian has mended'"
_LOCKS_ANEW = "docker/lock --upgrade && git commit --all --message='Newer Python packages in the images'"
# Each build takes the newest that the ranges allow.
_OTHER_RANGES = (
    "other ranges in requirements.txt, and git commit --all --message='Newer Python packages in the functions'"
)


class Unjudged(Exception):
    """Something was not looked at, or an exception is not written as it should be; the text is for a person."""


@dataclass(frozen=True)
class Finding:
    """One vulnerability of one package. It may have several names: CVE-…, GHSA-…, PYSEC-…."""

    names: tuple[str, ...]
    package: str
    severity: str
    """`not rated` counts as high."""
    mended: str
    """In which version; empty where in none."""
    taken_up_by: str
    """The command."""
    exploitable: bool = True

    @property
    def counts(self) -> bool:
        """Whether a build with it ends."""
        return self.severity in ("not rated", "HIGH", "CRITICAL") and bool(self.mended) and self.exploitable

    def __str__(self) -> str:
        then = f"mended in {self.mended}" if self.mended else "mended nowhere"
        harmless = "" if self.exploitable else ", of no use to who is not in already"
        return f"{self.names[0]} in {self.package}: {self.severity.lower()}, {then}{harmless}"


def of_packages(report: Mapping[str, Any], of: str) -> Iterator[Finding]:
    """Read pip-audit's report of an image or of `functions`; raises Unjudged where a package was skipped."""
    skipped = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    if skipped:
        raise Unjudged(f"the package index told nothing of the vulnerabilities of {', '.join(skipped)}")
    for package in report["dependencies"]:
        for found in package["vulns"]:
            yield Finding(
                (found["id"], *found.get("aliases", ())),
                f"{package['name']} {package['version']}",
                "not rated",
                ", ".join(found["fix_versions"]),
                _OTHER_RANGES if of == "functions" else _LOCKS_ANEW,
            )


def of_images(occurrences: Iterable[Mapping[str, Any]], _of: str) -> Iterator[Finding]:
    """Read a scan's occurrences.

    https://cloud.google.com/artifact-analysis/docs/reference/rest/v1/projects.occurrences#vulnerabilityoccurrence
    """
    for occurrence in occurrences:
        vulnerability = occurrence["vulnerability"]
        for issue in vulnerability["packageIssue"]:
            yield Finding(
                (occurrence["noteName"].rpartition("/")[2],),
                f"{issue['affectedPackage']} {issue['affectedVersion']['fullName']}",
                issue.get("effectiveSeverity") or vulnerability["effectiveSeverity"],
                _mended(issue),
                _IMAGES_ANEW if issue.get("packageType", "OS") == "OS" else _LOCKS_ANEW,
                _exploitable(vulnerability.get("cvssv3", {})),
            )


def _mended(issue: Mapping[str, Any]) -> str:
    fixed = issue.get("fixedVersion", {})
    elsewhere = issue.get("fixedCpeUri") and issue["fixedCpeUri"] != issue["affectedCpeUri"]
    return fixed.get("fullName", "") if fixed.get("kind") == "NORMAL" and not elsewhere else ""


def _exploitable(cvss: Mapping[str, Any]) -> bool:
    """Whether it gives anything to somebody who runs nothing in the container; where the scan does not say, it does.

    Who does run something there has all that is in it: nothing in a pod runs as another user, and none becomes root.
    """
    vector, privileges = cvss.get("attackVector"), cvss.get("privilegesRequired")
    inside = vector == "ATTACK_VECTOR_LOCAL" and privileges in ("PRIVILEGES_REQUIRED_LOW", "PRIVILEGES_REQUIRED_HIGH")
    return not inside and vector != "ATTACK_VECTOR_PHYSICAL"


def accepted(text: str, today: date) -> frozenset[str]:
    """Read the names that are let pass today; raises Unjudged."""
    names = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            name, until, _why = line.split(maxsplit=2)
            if date.fromisoformat(until) >= today:
                names.add(name)
        except ValueError as e:
            raise Unjudged(f"{ACCEPTED.name}, line {number}: an id, a date as 2026-12-31, and a reason") from e
    return frozenset(names)


def refused(findings: Iterable[Finding], let_pass: frozenset[str]) -> list[Finding]:
    """Give those for which a build ends."""
    return [finding for finding in findings if finding.counts and not let_pass.intersection(finding.names)]


def _advice(bad: Iterable[Finding]) -> str:
    by_command: dict[str, list[Finding]] = {}
    for finding in bad:
        by_command.setdefault(finding.taken_up_by, []).append(finding)
    lines = ["newer packages have this mended. Take them up, and build the new commit:"]
    for command, findings in by_command.items():
        lines += [f"  {command}", *(f"    {finding}" for finding in dict.fromkeys(findings))]
    return "\n".join([*lines, f"or accept it for a while, in {ACCEPTED.relative_to(ACCEPTED.parents[2])}"])


_READ: Mapping[str, Callable[[Any, str], Iterator[Finding]]] = {"packages": of_packages, "images": of_images}


def main(kind: str, *files: str) -> None:
    """Read reports, say what they hold, and raise Unjudged where something matters."""
    paths = [Path(file) for file in files]
    found = [finding for path in paths for finding in _READ[kind](json.loads(path.read_text()), path.stem)]
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    bad = refused(found, accepted(ACCEPTED.read_text(), datetime.now(UTC).date()))
    if bad:
        raise Unjudged(_advice(bad))
    sys.stdout.write(f"{len(found)} known vulnerabilities in {kind}, none that matters\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Unjudged as error:
        sys.exit(f"vulnerabilities.py: {error}")
