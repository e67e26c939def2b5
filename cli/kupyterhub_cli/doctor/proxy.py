"""Whether people's URLs lead to a proxy that answers."""

from collections.abc import Iterator

from kupyterhub_cli.doctor.finding import Finding
from kupyterhub_cli.place import Place
from kupyterhub_cli.ports import Users, Web

_SERVER_ERROR = 500


def answers(place: Place, users: Users, web: Web) -> Iterator[Finding]:
    """Ask the local proxy, or the URL of somebody who is Ready; that it sends a stranger away is as it should be."""
    if place.proxy_url:
        url: str = place.proxy_url
    else:
        ready = users.page(phase="Ready", trigram=None, after=None, limit=1).documents
        if not ready or not (url := ready[0].said("proxyUrl")):
            yield Finding("proxy", "unknown", "nobody is Ready, so there is no URL to try")
            return
    status = web.status(url)
    good = status < _SERVER_ERROR
    advice = (
        ""
        if good
        else "Read the proxy's log: .kupyterhub/logs/proxy.log here, "
        "kubectl logs --namespace=kupyterhub-proxy deployment/proxy in GKE."
    )
    yield Finding("proxy", "good" if good else "bad", f"{url} answers {status}", advice)
