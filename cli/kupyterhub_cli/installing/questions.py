"""The five questions of `kupyterhub init`, and the file that is written of the answers; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Template

from kupyterhub_rules.names import normalise_email

_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,}")


@dataclass(frozen=True)
class Question:
    """What is asked, and why."""

    name: str
    text: str
    explanation: str
    wrong: Callable[[str], str]
    """What is wrong with an answer; nothing where it is right."""
    default: str = ""


def _matching(pattern: "re.Pattern[str]", otherwise: str, *, or_nothing: bool = False) -> Callable[[str], str]:
    return lambda answer: "" if pattern.fullmatch(answer) or (or_nothing and not answer) else otherwise


def _patterns(answer: str) -> str:
    for each in listed(answer):
        local, _, domain = each.partition("@")
        # A star in place of the domain, or of all but its end, would let in the whole world.
        of_whom = _DOMAIN.fullmatch(domain.removeprefix("*.").lower())
        if normalise_email(f"{local.replace('*', 'a')}@{domain.removeprefix('*.')}") is None or not of_whom:
            return f"{each} is no address and no pattern of them, such as *@example.com."
    return "" if listed(answer) else "Give one at least, such as *@example.com."


def _emails(answer: str) -> str:
    wrong = [each for each in listed(answer) if normalise_email(each) is None]
    return f"{wrong[0]} is no e-mail address." if wrong else "" if listed(answer) else "Give one at least."


QUESTIONS = (
    Question(
        "project",
        "Google Cloud project",
        "A project with a billing account, for this alone: whoever administers it can read everybody's files.",
        _matching(_PROJECT, "Give the project's id: 6 to 30 lower-case letters, digits and hyphens."),
    ),
    Question(
        "region",
        "Region",
        "Where cluster, files and documents are, and for ever: near to your people, and where the law wants them.",
        _matching(_REGION, "Give a region, such as europe-west1; a zone has one letter more."),
        "europe-west1",
    ),
    Question(
        "domain",
        "Domain",
        "People reach notebooks at a domain of yours, such as notebooks.example.com, which nothing else uses.\n"
        "Or leave it empty: then by Google's proxy, with no domain, and for Google accounts alone.",
        _matching(_DOMAIN, "Give a lower-case domain, such as notebooks.example.com, or nothing.", or_nothing=True),
    ),
    Question(
        "allowed",
        "Who may have a notebook",
        "Addresses, or patterns such as *@example.com, with commas between. Nobody else gets in.",
        _patterns,
    ),
    Question(
        "admin",
        "Administrators",
        "Their addresses. They may open everybody's notebook, and are written to when something needs a person.",
        _emails,
    ),
)

_FILE = Template(
    """\
# What this installation of kupyterhub is; `kupyterhub deploy` makes it so. Names are those of Terraform's variables:
# infra/gcp/data/variables.tf and infra/gcp/system/variables.tf list them all. What is not here has a default.
project_id: $project
region: $region
firestore_location: $region # or nam5 or eur3, which survive the loss of a region; for ever

allowed_emails: [$allowed]
admins: [$admin]
alert_emails: [$admin]

$way
"""
)
_OWN_DOMAIN = Template(
    """\
domain: $domain
# dns_zone: example-com # a Cloud DNS zone of this project, if the domain is in one: then its records are made
identity: # how people sign in: docs/proxy.md
  mode: oidc
  issuer: https://accounts.google.com
  client_id: # of an OAuth client; `kupyterhub deploy` says how to make one
portal: {} # the page where people start and stop their own server: portal.$domain
$smoke"""
)
_SMOKE = "smoke_emails: # two addresses that allowed_emails lets in, of nobody: each release is tried with them"
_HOSTED = """\
proxy: hosted # Google's
smoke_emails: # two Google accounts that exist and have no notebook: each release is tried with them
portal: # leave it out for no page; else at a name of its own: docs/portal.md
  # host: portal.example.com"""


def listed(answer: str) -> list[str]:
    """The parts of an answer with commas or blanks between."""
    return re.split(r"[,;\s]+", answer.strip(" ,;\t")) if answer.strip(" ,;\t") else []


def written(answers: Mapping[str, str]) -> str:
    """Give the file's text."""
    lists = {name: ", ".join(f'"{each}"' for each in listed(answers[name])) for name in ("allowed", "admin")}
    given = {**answers, **lists}
    whole_domain = any(each.startswith("*@") and "*" not in each[2:] for each in listed(answers["allowed"]))
    way = _OWN_DOMAIN.substitute(given, smoke="" if whole_domain else _SMOKE) if answers["domain"] else _HOSTED
    return _FILE.substitute(given, way=way.rstrip())
