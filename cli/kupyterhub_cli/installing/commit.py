"""What is deployed: a commit of the checkout."""

import subprocess

from kupyterhub_cli.errors import WrongUsage
from kupyterhub_cli.installing.decisions import Decisions


def checked_out(decisions: Decisions) -> str:
    """The commit that is checked out, whole; images are named by it. Raises WrongUsage."""
    commit = git(decisions, "rev-parse", "HEAD")
    if changed := git(decisions, "status", "--porcelain", "--untracked-files=no"):
        raise WrongUsage(f"These files are not as the commit has them; commit them first:\n{changed}")
    return commit


def whole(decisions: Decisions, named: str) -> str:
    """The whole id of a commit that is named by a part of it; raises WrongUsage."""
    return git(decisions, "rev-parse", "--verify", "--end-of-options", f"{named}^{{commit}}") if named else ""


def git(decisions: Decisions, *arguments: str) -> str:
    """Run git in the checkout; raises WrongUsage."""
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            ["git", "-C", str(decisions.checkout), *arguments],  # noqa: S607 - the person's git
            capture_output=True,
            text=True,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise WrongUsage(f"What is deployed is a commit, and git says: {error.stderr.strip()}") from error
    except OSError as error:
        raise WrongUsage("There is no `git`, and what is deployed is a commit. Install it.") from error
    return done.stdout.strip()
