# ruff: noqa: INP001 - a script, of no package
"""Judges known vulnerabilities that scanners found: a build with one that matters ends.

    vulnerabilities.py packages FILE…    what pip-audit wrote (--format json), of Python packages
    vulnerabilities.py images FILE…      what `gcloud artifacts docker images list-vulnerabilities` wrote, of images

Of packages each counts; of images those that are critical, and those that are high and mended in a newer package: a
base image always has some that nobody has mended. What accepted-vulnerabilities.txt names is let pass until its date.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).with_name("accepted-vulnerabilities.txt")


class Unjudged(Exception):
    """Something was not looked at, or an exception is not written as it should be; the text is for a person."""


@dataclass(frozen=True)
class Finding:
    """One vulnerability of one package. It may have several names: CVE-…, GHSA-…, PYSEC-…."""

    names: tuple[str, ...]
    package: str
    severity: str
    mended: str
    """In which version; empty where in none."""

    @property
    def counts(self) -> bool:
        """Whether a build with it ends."""
        return self.severity == "CRITICAL" or (self.severity == "HIGH" and bool(self.mended))

    def __str__(self) -> str:
        then = f"mended in {self.mended}" if self.mended else "mended nowhere"
        return f"{self.names[0]} in {self.package}: {self.severity.lower()}, {then}"


def of_packages(report: Mapping[str, Any]) -> Iterator[Finding]:
    """Read pip-audit's report; raises Unjudged where a package was skipped."""
    skipped = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    if skipped:
        raise Unjudged(f"the package index told nothing of the vulnerabilities of {', '.join(skipped)}")
    for package in report["dependencies"]:
        for found in package["vulns"]:
            yield Finding(
                (found["id"], *found.get("aliases", ())),
                f"{package['name']} {package['version']}",
                "CRITICAL",  # pip-audit rates none
                ", ".join(found["fix_versions"]),
            )


def of_images(occurrences: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Read a scan's occurrences.

    https://cloud.google.com/artifact-analysis/docs/reference/rest/v1/projects.occurrences#vulnerabilityoccurrence
    """
    for occurrence in occurrences:
        vulnerability = occurrence["vulnerability"]
        for issue in vulnerability["packageIssue"]:
            fixed = issue.get("fixedVersion", {})
            yield Finding(
                (occurrence["noteName"].rpartition("/")[2],),
                f"{issue['affectedPackage']} {issue['affectedVersion']['fullName']}",
                issue.get("effectiveSeverity") or vulnerability["effectiveSeverity"],
                fixed.get("fullName", "") if fixed.get("kind") == "NORMAL" else "",
            )


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


_READ: Mapping[str, Callable[[Any], Iterator[Finding]]] = {"packages": of_packages, "images": of_images}


def main(kind: str, *files: str) -> None:
    """Read reports, say what they hold, and raise Unjudged where something matters."""
    found = [finding for file in files for finding in _READ[kind](json.loads(Path(file).read_text()))]
    for finding in found:
        sys.stdout.write(f"{finding}\n")
    bad = refused(found, accepted(ACCEPTED.read_text(), datetime.now(UTC).date()))
    if bad:
        lines = "\n".join(f"  {finding}" for finding in bad)
        raise Unjudged(f"take up newer packages (docs/day-two.md), or accept in {ACCEPTED.name}:\n{lines}")
    sys.stdout.write(f"{len(found)} known vulnerabilities in {kind}, none that matters\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Unjudged as error:
        sys.exit(f"vulnerabilities.py: {error}")
