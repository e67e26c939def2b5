"""The command line: which commands there are. What each does is in commands/."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from kupyterhub_cli.commands import adding, checking, exporting, installing, listing, local, states, watching
from kupyterhub_cli.session import Session

CLOUD = "An installation on Google Cloud"
HERE = "The system on this machine"

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="A JupyterLab for each person. Users are documents; this command writes and reads them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
users = typer.Typer(no_args_is_help=True, help="Add, find, start, stop and delete people's notebooks.")
app.add_typer(users, name="users")

users.command("add")(adding.add)
users.command("list")(listing.list_)
users.command("show")(listing.show)
users.command("url")(listing.url)
users.command("stop")(states.stop)
users.command("start")(states.start)
users.command("restart")(states.restart)
users.command("delete")(states.delete)
users.command("import")(adding.import_)
users.command("export")(exporting.export)
app.command()(watching.watch)
app.command()(watching.logs)
app.command("open")(listing.open_)
app.command()(checking.doctor)
app.command(rich_help_panel=CLOUD)(installing.init)
app.command(rich_help_panel=CLOUD)(installing.prepare)
app.command(rich_help_panel=CLOUD)(installing.deploy)
app.command(rich_help_panel=CLOUD)(installing.rollback)
app.command(rich_help_panel=CLOUD)(installing.uninstall)
app.command(rich_help_panel=HERE)(local.up)
app.command(rich_help_panel=HERE)(local.down)


def _version(asked: bool) -> None:  # noqa: FBT001 - Typer's callback
    if asked:
        try:
            typer.echo(version("kupyterhub"))
        except PackageNotFoundError:
            typer.echo("not installed: run from a checkout")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    *,
    project: Annotated[
        str | None, typer.Option(help="The Google Cloud project, rather than the local system.")
    ] = None,
    show_version: Annotated[  # noqa: ARG001 - its callback has acted by then
        bool, typer.Option("--version", callback=_version, is_eager=True, help="And exit.")
    ] = False,
) -> None:
    """Remember what all commands need."""
    if context.obj is None:
        context.obj = Session(project=project)
    elif project:
        context.obj.project = project
