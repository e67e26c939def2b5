"""`init`, `prepare`, `deploy`, `rollback` and `uninstall`: an installation on Google Cloud, from a checkout."""

from collections.abc import Callable
from typing import Annotated

import typer

from kupyterhub_cli.commands import checking, options
from kupyterhub_cli.errors import NOT_AS_WANTED, WrongUsage
from kupyterhub_cli.installing import decisions as made
from kupyterhub_cli.installing import deploying, questions, uninstalling
from kupyterhub_cli.installing.builds import Builds
from kupyterhub_cli.installing.commit import whole
from kupyterhub_cli.installing.preparing import Preparation
from kupyterhub_cli.ports import GcloudRefused


def init(context: typer.Context) -> None:
    """Ask five questions, and write installation.yaml: what an installation on Google Cloud is to be."""
    session = options.session(context)
    file = made.checkout_of(session) / made.FILE
    if file.exists():
        raise WrongUsage(f"{file} is there already. Edit it: `kupyterhub deploy` makes it so.")
    gcloud = session.gcloud("")

    def known(*command: str) -> str:
        try:
            return gcloud.run(*command)
        except GcloudRefused:
            return ""

    given = {
        "project": session.project or known("config", "get-value", "project"),
        "region": known("config", "get-value", "compute/region"),
        "admin": known("config", "get-value", "account"),
    }
    for question in questions.QUESTIONS:
        session.screen.say(f"\n{question.explanation}", "dim")
        given[question.name] = typer.prompt(
            question.text,
            default=given.get(question.name) or question.default,
            show_default=bool(given.get(question.name) or question.default),
            value_proc=_checked(question),
            err=True,
        )
    try:
        file.write_text(questions.written(given), encoding="utf-8")
    except OSError as error:
        raise WrongUsage(f"{file} cannot be written: {error.strerror}.") from error
    session.screen.say(f"\nWritten: {file}. All else has a default; the file says where they are listed.")
    if still := made.wrong(file.parent):
        session.screen.say(f"First fill in what nobody asked for. {still}", "yellow")
    session.screen.say("Next: kupyterhub prepare")


def prepare(context: typer.Context) -> None:
    """Make the project ready: billing, APIs, quotas, accounts, a bucket. An owner of it does that, once."""
    session = options.session(context)
    decisions = made.of(session)
    lacking = Preparation(session, decisions).run()
    if lacking:
        session.screen.say(
            f"More quota: https://console.cloud.google.com/iam-admin/quotas?project={decisions.project} (of GPUs "
            "new projects have 0; a request takes a day or two). Or smaller pools: system_pool and notebook_pools."
        )
    if any(quota.stops for quota in lacking):
        session.screen.say("The rest is ready. With these quotas a deploy fails.", "red")
        raise typer.Exit(NOT_AS_WANTED)
    session.screen.say("Ready. Next: kupyterhub deploy")


def deploy(context: typer.Context, *, yes: options.Yes = False) -> None:
    """Deploy this checkout to the project of installation.yaml, try it with two people, and look at every part."""
    session = options.session(context, yes=yes)
    deploying.deploy(session, made.of(session))
    checking.doctor(context)


def rollback(
    context: typer.Context,
    commit: Annotated[str, typer.Argument(help="Of the release; the last one that passed, where left out.")] = "",
) -> None:
    """Deploy a former release as it was. Documents, files and secrets are no part of it."""
    session = options.session(context)
    decisions = made.of(session)
    deploying.check_prepared(session.gcloud(decisions.project), decisions)
    Builds(session, decisions).by_hand("rollback.sh", whole(decisions, commit))
    checking.doctor(context)


def uninstall(
    context: typer.Context,
    *,
    everything: Annotated[
        bool, typer.Option("--everything", help="EVERYBODY'S FILES and documents, too; nothing brings them back.")
    ] = False,
    yes: options.Yes = False,
) -> None:
    """Take an installation down, also one that came half-way. Files and documents stay, for one to come."""
    session = options.session(context, yes=yes)
    decisions = made.of(session)
    what = (
        f"This removes kupyterhub from {decisions.project} with EVERYBODY'S FILES, disks, snapshots and documents."
        if everything
        else f"This removes the cluster and all that runs in {decisions.project}. Files and documents stay."
    )
    session.screen.ask(f"{what}\nType the project's id to go on:", decisions.project)
    uninstalling.uninstall(session, decisions, everything=everything)
    session.screen.say("It is down. docs/uninstall.md says what is left.")


def _checked(question: questions.Question) -> Callable[[str], str]:
    def read(answer: str) -> str:
        wrong = question.wrong(answer.strip())
        if wrong:
            raise typer.BadParameter(wrong)
        return answer.strip()

    return read
