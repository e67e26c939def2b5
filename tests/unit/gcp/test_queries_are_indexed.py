"""Every query of the functions, the portal among them, is answered by the indexes that data/ leaves Firestore.

Firestore makes an index of each field, but for those that data/ writes out, and joins such indexes for a query
by equality and one `array-contains`. Anything else about two fields needs a composite index, of which there are none:
https://firebase.google.com/docs/firestore/query-data/index-overview. Of conditions of which one has to hold, a query
takes thirty: https://firebase.google.com/docs/firestore/query-data/queries#limits_on_or_queries.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from math import prod
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.types import (
    BatchGetDocumentsResponse,
    BatchWriteResponse,
    RunAggregationQueryResponse,
    RunQueryResponse,
    StructuredQuery,
)
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from kupyterhub import settings as files
from kupyterhub.adapters.user_store import UserStore
from kupyterhub_portal import bootstrap
from kupyterhub_portal.sessions import Sessions
from kupyterhub_portal.settings import PortalSettings, SignInHost
from kupyterhub_portal.store import Store
from kupyterhub_portal.visitor import Visitor
from terraform.roots import Plan

Operator = StructuredQuery.FieldFilter.Operator
ORIGIN, LOGIN = "http://localhost:8000", "http://login.localhost:8001"
KEY = b"0" * 32
ADMIN = "root@example.com"
SETTINGS = """
domain: localhost:8001
allowedEmails: ["*@example.com"]
admins: [root@example.com]
images: {agent: "agent:1", jupyterlab: "jupyterlab:1"}
profiles: {default: {}}
"""
PAGES = ("/", "/people", "/people?phase=Ready", "/people?part=ada", "/people?part=ada&phase=Ready", "/people/counts")
_MOST_ALTERNATIVES = 30
_BY_DEFAULT = ["ASCENDING", "DESCENDING", "CONTAINS"]
_EQUAL = {Operator.EQUAL, Operator.IN, Operator.ARRAY_CONTAINS}


class NotingClient(firestore.Client):
    """A client that notes what it is asked, and finds nobody."""

    def __init__(self) -> None:
        super().__init__("my-project", credentials=AnonymousCredentials())
        self.queries: list[StructuredQuery] = []

    @property
    def _firestore_api(self) -> "NotingClient":
        return self

    def batch_get_documents(self, request: dict[str, Any], **_: Any) -> Iterator[BatchGetDocumentsResponse]:
        return iter([BatchGetDocumentsResponse({"missing": document}) for document in request["documents"]])

    def batch_write(self, request: dict[str, Any], **_: Any) -> BatchWriteResponse:
        return BatchWriteResponse(
            {"status": [{} for _ in request["writes"]], "write_results": [{} for _ in request["writes"]]}
        )

    def run_query(self, request: dict[str, Any], **_: Any) -> Iterator[RunQueryResponse]:
        self.queries.append(request["structured_query"])
        return iter(())

    def run_aggregation_query(self, request: dict[str, Any], **_: Any) -> Iterator[RunAggregationQueryResponse]:
        self.queries.append(request["structured_aggregation_query"].structured_query)
        yield RunAggregationQueryResponse({"result": {"aggregate_fields": {"field_1": {"integer_value": 0}}}})


def _of_the_portal(client: NotingClient) -> None:
    settings = PortalSettings(ORIGIN, SignInHost(LOGIN), KEY, files.parse(SETTINGS))
    portal = bootstrap.wired(settings, Store(client))

    @Request.application
    def app(request: Request) -> Response:
        return portal.answer(request)

    browser = Client(app)
    sent = {"base_url": ORIGIN, "headers": {"Origin": ORIGIN}}
    entered = Response()
    Sessions(KEY, secure=False).begin(entered, Visitor(ADMIN))
    for cookie in entered.headers.getlist("Set-Cookie"):
        name, _, value = cookie.partition(";")[0].partition("=")
        browser.set_cookie(name, value, domain="localhost")
    for page in PAGES:
        answer = browser.get(page, **sent)
        assert answer.text  # some pages ask only when they are read
        assert answer.status_code == HTTPStatus.OK
    page = browser.get("/people/add", **sent).text
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    added = {"people": "ada@example.com", "profile": "default", "token": token[1]}
    assert browser.post("/people/add", data=added, **sent).status_code == HTTPStatus.OK
    Store(client).history("u-1", 10)


def _of_the_controller(client: NotingClient) -> None:
    store = UserStore(client)
    store.with_status_email("ada@example.com")
    store.with_email("adam@example.com")
    store.due(datetime.now(UTC))
    store.of_other_settings("0123456789abcdef", 600)
    store.claims_of("u-1")
    assert [*store.every(), *store.every_claim()] == []


def _collection(query: StructuredQuery) -> str:
    (source,) = query.from_
    return str(source.collection_id)


def _filters(where: StructuredQuery.Filter) -> list[StructuredQuery.FieldFilter]:
    if several := where.composite_filter.filters:
        return [each for part in several for each in _filters(part)]
    return [where.field_filter] if where.field_filter.field.field_path else []


def _alternatives(where: StructuredQuery.Filter) -> int:
    """How many conditions there are of which one has to hold, `in` being such, too."""
    composite = where.composite_filter
    if not composite.filters:
        return max(1, len(where.field_filter.value.array_value.values))
    counts = [_alternatives(part) for part in composite.filters]
    return sum(counts) if composite.op == StructuredQuery.CompositeFilter.Operator.OR else prod(counts)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (
            _of_the_portal,
            {"users.email", "users.status.email", "users.status.phase", "users.status.terms", "history.at"},
        ),
        (
            _of_the_controller,
            {
                *("users.email", "users.status.email", "users.status.nextLookAt", "users.status.settings"),
                "names.user",
            },
        ),
    ],
)
def test_each_is_answered_by_indexes_of_single_fields(
    ask: Callable[[NotingClient], None], expected: set[str], data_plan: Plan
) -> None:
    written_out = {
        f"{field['collection']}.{field['field']}": [
            index.get("order") or index.get("array_config") for index in field["index_config"][0]["indexes"]
        ]
        for field in data_plan.of("google_firestore_field").values()
    }
    client = NotingClient()
    ask(client)
    asked = set()
    for query in client.queries:
        collection, filters = _collection(query), _filters(query.where)
        ordered = [order for order in query.order_by if order.field.field_path != "__name__"]
        by = {each.field.field_path for each in filters if each.op not in _EQUAL}
        by |= {order.field.field_path for order in ordered}
        assert len(by) <= 1
        assert not by or {each.field.field_path for each in filters} <= by, "it needs a composite index"
        assert sum(each.op == Operator.ARRAY_CONTAINS for each in filters) <= 1
        assert _alternatives(query.where) <= _MOST_ALTERNATIVES
        needed = [
            (each.field.field_path, "CONTAINS" if each.op == Operator.ARRAY_CONTAINS else "ASCENDING")
            for each in filters
        ]
        needed += [(order.field.field_path, order.direction.name) for order in ordered]
        for path, kind in needed:
            asked.add(f"{collection}.{path}")
            assert kind in written_out.get(f"{collection}.{path}", _BY_DEFAULT), path
    assert asked >= expected
