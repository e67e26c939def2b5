"""Who gets where: hosts, signing in, owners, and other people's pages."""

import aiohttp
import pytest
from yarl import URL

from cluster.proxy.harness import ADA, ADMIN, EVE, HTML, Browser, System
from kupyterhub_rules.names import base_name

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", **HTML}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "www.localhost", "evil.example", "x.login.localhost"])
async def test_an_unknown_host_is_misdirected(system: System, browser: Browser, host: str) -> None:
    async with browser.session.get(
        f"http://127.0.0.1:{system.port}/", headers={"Host": f"{host}:{system.port}"}
    ) as answer:
        assert answer.status == 421


async def test_a_stranger_is_sent_to_sign_in_before_anything_is_said(system: System, browser: Browser) -> None:
    name = base_name(ADA)
    async with browser.request("GET", name, headers=HTML) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].startswith(f"{system.origin('login')}/?")
    async with browser.request("GET", name, "/api/contents") as answer:
        assert answer.status == 401
        # JupyterLab shows this, of a file that it could not save for one.
        message = (await answer.json())["message"]
        assert f"Nothing is lost: open {system.origin(name)}/ in another tab" in message
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.websocket(name, "/ws")
    assert refused.value.status == 401


async def test_an_owner_without_an_agent_gets_a_page_that_looks_again(browser: Browser) -> None:
    await browser.sign_in(ADA)
    async with browser.request("GET", base_name(ADA), headers=HTML) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        text = await answer.text()
        assert 'http-equiv="refresh"' in text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_another_person_is_refused_and_told_who_they_are(browser: Browser, ada: str) -> None:
    stranger = Browser(browser.system)
    try:
        await stranger.sign_in(EVE, ada)
        async with stranger.request("GET", ada, headers=HTML) as answer:
            assert answer.status == 403
            text = await answer.text()
            assert EVE in text
            assert "Sign out" in text
        async with stranger.request("POST", ada, "/.kupyterhub/sign-out") as answer:
            assert answer.headers["Location"].startswith(f"{browser.system.origin('login')}/?")
            login = answer.headers["Location"]
        async with stranger.session.get(login) as page:
            assert EVE not in await page.text()
        assert not [cookie for cookie in stranger.session.cookie_jar if cookie.key.endswith("session")]
        async with stranger.request("GET", ada, headers=HTML) as answer:
            assert answer.status == 303
    finally:
        await stranger.close()


async def test_signing_out_on_one_host_ends_that_sign_in_on_all(system: System) -> None:
    admin = Browser(system)
    try:
        await admin.sign_in(ADMIN, base_name(ADA))
        async with admin.session.get(system.url(base_name(EVE)), headers=HTML) as answer:
            assert answer.status == 503  # handed over: one sign-in
        async with admin.request("POST", base_name(EVE), "/.kupyterhub/sign-out", headers=HTML) as answer:
            farewell = URL(answer.headers["Location"], encoded=True)
        async with admin.session.get(farewell) as answer:
            assert "Who are you?" in await answer.text()
        for label in ("login", base_name(ADA), base_name(EVE)):
            async with admin.session.get(system.url(label), headers=HTML) as answer:
                assert "Who are you?" in await answer.text()
    finally:
        await admin.close()


async def test_a_link_to_the_end_of_ones_own_sign_in_ends_nobody_elses(system: System, browser: Browser) -> None:
    await browser.sign_in(ADA)
    thief = Browser(system)
    try:
        await thief.sign_in(EVE)
        async with thief.request("POST", base_name(EVE), "/.kupyterhub/sign-out") as answer:
            link = URL(answer.headers["Location"], encoded=True)
        async with browser.session.get(link, allow_redirects=False) as answer:
            assert answer.status == 200  # the page that says who is signed in, still
            assert ADA in await answer.text()
        async with browser.request("GET", "login") as answer:
            assert ADA in await answer.text()
    finally:
        await thief.close()


async def test_a_person_finds_who_they_are_and_how_to_sign_out_on_their_host(browser: Browser) -> None:
    await browser.sign_in(ADA)
    async with browser.request("GET", base_name(ADA), "/.kupyterhub/sign-out", headers=HTML) as answer:
        text = await answer.text()
    assert ADA in text
    assert 'method="post" action="/.kupyterhub/sign-out"' in text


async def test_an_administrator_may_open_any_host(system: System, ada: str) -> None:
    admin = Browser(system)
    try:
        await admin.sign_in(ADMIN, ada)
        async with admin.request("GET", ada, "/page") as answer:
            assert answer.status == 200
    finally:
        await admin.close()


async def test_who_is_signed_in_already_is_handed_over_without_a_question(browser: Browser) -> None:
    await browser.sign_in(ADA)
    async with browser.session.get(browser.system.url(base_name(EVE)), headers=HTML, allow_redirects=True) as answer:
        assert answer.status == 403  # signed in as Ada there too, and Ada is not Eve
        assert ADA in await answer.text()


async def test_a_code_is_worth_nothing_in_another_browser(system: System, browser: Browser) -> None:
    await browser.sign_in(ADA)
    name = base_name(ADA)
    thief = Browser(system)
    try:
        async with thief.request("GET", name, headers=HTML) as answer:
            victims_link = URL(answer.headers["Location"], encoded=True)
        async with browser.session.get(victims_link, allow_redirects=False) as answer:
            handed = URL(answer.headers["Location"], encoded=True)
        async with browser.session.get(handed, headers=HTML, allow_redirects=False) as answer:
            assert "Set-Cookie" not in answer.headers  # not this browser's nonce
        elsewhere = URL(str(handed).replace(name, base_name(EVE)), encoded=True)
        async with thief.session.get(elsewhere, headers=HTML, allow_redirects=False) as answer:
            assert "Set-Cookie" not in answer.headers  # not this host's code
    finally:
        await thief.close()


async def test_the_way_back_never_leaves_the_host(system: System, browser: Browser) -> None:
    await browser.sign_in(ADA)
    name = base_name(ADA)
    for path in ("//evil.example/", "https://evil.example/", "/\\evil.example", "@evil.example"):
        async with browser.session.get(
            system.url(name, "/.kupyterhub/session").with_query({"code": "x", "next": path}),
            allow_redirects=False,
        ) as answer:
            assert URL(answer.headers["Location"]).host == f"{name}.localhost"


@pytest.mark.parametrize("origin", [None, "null", "http://eve-0123456789abcdef.localhost:1"])
async def test_signing_in_must_come_from_the_sign_in_page(browser: Browser, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    url = browser.system.url("login", "/sign-in")
    async with browser.session.post(url, data={"email": EVE}, headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_the_sign_in_page_offers_users_and_administrators_and_escapes_what_it_is_given(
    browser: Browser, ada: str
) -> None:
    async with browser.request("GET", "login", '/?host=<script>&next=/"><script>alert(1)</script>') as page:
        text = await page.text()
    assert f'value="{ADA}"' in text
    assert f'value="{ADMIN}"' in text
    assert "<script>" not in text
    async with browser.request("POST", "login", "/sign-in", data={"email": "<b>"}) as page:
        assert page.status == 400
        assert "not an e-mail" in await page.text()


@pytest.mark.parametrize("label", ["agents", "login"])
async def test_other_hosts_serve_their_own_paths_only(browser: Browser, label: str) -> None:
    async with browser.request("GET", label, "/api/contents") as answer:
        assert answer.status == 404


async def test_a_users_host_serves_no_agents(system: System, browser: Browser, ada: str) -> None:
    async with browser.request("GET", ada, "/agent/connect") as answer:
        assert (await answer.json())["target"] == "/agent/connect"  # a path of the notebook's like any


@pytest.mark.parametrize("origin", ["", "null", "neighbour"])
async def test_a_post_or_websocket_of_another_page_is_refused(
    system: System, browser: Browser, ada: str, origin: str
) -> None:
    headers = {"Origin": system.origin(base_name(EVE)) if origin == "neighbour" else origin}
    async with browser.request("POST", ada, "/api/kernels", headers=headers) as answer:
        assert answer.status == 403
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.websocket(ada, "/ws", headers=headers)
    assert refused.value.status == 403


async def test_only_links_lead_here_from_another_site(browser: Browser, ada: str) -> None:
    for site in ("same-site", "cross-site"):
        async with browser.request("GET", ada, "/page", headers={"Sec-Fetch-Site": site}) as answer:
            assert answer.status == 403
        headers = {**NAVIGATION, "Sec-Fetch-Site": site}
        async with browser.request("GET", ada, "/page", headers=headers) as answer:
            assert answer.status == 200


async def test_a_host_with_the_dot_at_its_end_leads_to_the_one_without(browser: Browser, ada: str) -> None:
    domain = browser.system.domain.replace(":", ".:")
    async with browser.request("GET", ada, "/lab?x=%2F", headers={"Host": f"{ada}.{domain}"}) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == f"{browser.system.origin(ada)}/lab?x=%2F"
