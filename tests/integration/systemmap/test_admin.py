"""The map in the admin: read by all who may, paused by who may change it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from autonomy.systemmap.models import Component, Node
from autonomy.systemmap.services import Declared, NodeFacts, register, sync
from ledger.models import Event

pytestmark = pytest.mark.django_db

COMPONENTS = "/admin/systemmap/component/"
NODES = "/admin/systemmap/node/"


@pytest.fixture
def client(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ann", password="x"))
    return client


def declared(count: int) -> None:
    for name in ("a", *(f"n{n}" for n in range(count - 1))):
        register(NodeFacts(name=name, tiers=[1, 2], slots=2, labels=["gpu"]))
    skills = [Declared("skill", f"s.{n}", version="1", tier=1 + n % 3) for n in range(count)]
    sync(skills, {"skills/bad.py": "<b>SyntaxError</b>"}, node="a")


def statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", [COMPONENTS, NODES])
def test_a_list_takes_the_same_statements_for_any_number(client: Client, address: str) -> None:
    declared(2)
    few = statements(client, address)
    declared(40)

    assert statements(client, address) == few


def test_the_map_says_what_is_wrong_with_a_component(client: Client) -> None:
    declared(1)

    shown = client.get(COMPONENTS).content.decode()

    assert "nobody is named as its owner" in shown
    assert "&lt;b&gt;SyntaxError&lt;/b&gt;" in shown


def test_a_component_is_only_paused_and_resumed(client: Client) -> None:
    declared(1)
    component = Component.objects.get(name="s.0")
    address = f"{COMPONENTS}{component.id}/change/"
    assert client.get(address).status_code == 200

    client.post(address, {"paused": "on", "tier": "3", "owner": "mallory"})
    component.refresh_from_db()
    assert (component.paused, component.tier, component.owner) == (True, 1, "")
    client.post(address, {})

    component.refresh_from_db()
    assert not component.paused
    told = Event.objects.filter(type__in=["component_paused", "component_resumed"])
    assert list(told.values_list("actor", flat=True)) == ["person:ann", "person:ann"]


def test_components_are_paused_from_the_list(client: Client) -> None:
    declared(3)
    ids = [
        str(pk)
        for pk in Component.objects.filter(name__startswith="s.").values_list("pk", flat=True)
    ]

    client.post(COMPONENTS, {"action": "pause", "_selected_action": ids})

    assert Component.objects.filter(paused=True).count() == 3


def test_what_is_no_longer_declared_is_shown_when_asked_for(client: Client) -> None:
    declared(1)
    sync([], {}, node="a")

    assert b"s.0" not in client.get(COMPONENTS).content
    assert b"s.0" in client.get(f"{COMPONENTS}?retired=yes").content


def test_a_broken_module_shows_its_traceback_as_text(client: Client) -> None:
    declared(1)
    broken = Component.objects.get(name="skills/bad.py")

    shown = client.get(f"{COMPONENTS}{broken.id}/change/").content.decode()

    assert "&lt;b&gt;SyntaxError" in shown


def test_nodes_are_paused_drained_and_resumed_from_the_list(client: Client) -> None:
    declared(1)
    node = Node.objects.get(name="a")

    def act(action: str) -> tuple[bool, bool]:
        client.post(NODES, {"action": action, "_selected_action": [str(node.id)]})
        node.refresh_from_db()
        return node.paused, node.draining

    assert act("pause") == (True, False)
    assert act("drain") == (True, True)
    assert act("resume") == (False, False)


def test_nobody_edits_adds_or_deletes_a_node(client: Client) -> None:
    declared(1)
    address = f"{NODES}{Node.objects.get(name='a').id}/"

    assert client.get(f"{address}change/").status_code == 200
    assert client.post(f"{address}change/", {"slots": 99}).status_code == 403
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{NODES}add/").status_code == 403


def test_who_may_only_look_cannot_pause(client: Client) -> None:
    declared(1)
    viewer = User.objects.create_user("bob", is_staff=True)
    viewer.user_permissions.set(
        Permission.objects.filter(codename__in=["view_node", "view_component"])
    )
    client.force_login(viewer)

    for address, model in ((NODES, Node), (COMPONENTS, Component)):
        ids = [str(pk) for pk in model.objects.values_list("pk", flat=True)]
        client.post(address, {"action": "pause", "_selected_action": ids})
        assert client.get(address).status_code == 200
        assert not model.objects.filter(paused=True).exists()
