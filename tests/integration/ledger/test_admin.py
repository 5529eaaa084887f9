"""The ledger can be looked at in the admin, and by nobody be touched."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.urls import reverse

from ledger.domain.ids import new_id
from ledger.domain.outcomes import NewOutcome
from ledger.models import Block, Event, NodeDay, NodeScore, Outcome, SkillEstimate
from ledger.services import record, record_outcomes
from tests.integration.ledger.conftest import fact

pytestmark = pytest.mark.django_db

MODELS = (Event, Block, Outcome, NodeScore, SkillEstimate)


@pytest.fixture
def root() -> Client:
    """The browser of someone who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture(autouse=True)
def _something_happened(db: None) -> None:
    record(fact(payload={"said": "eve\u202e <b>"}, cause=["person:ada", "task:1"]))
    done = NewOutcome(
        task_id=new_id(), epoch=1, skill="tidy", tier=1, state="done", verdict="verified", node="a"
    )
    record_outcomes([done, replace(done, task_id=new_id(), verdict="unverified")])
    Block.objects.create(
        number=1, first_sequence=1, last_sequence=1, last_transaction=1, last_event_id=new_id(),
        previous_hash="0" * 64, merkle_root="1" * 64, hash="2" * 64,
    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_listed_and_shown_and_offer_no_change(root: Client, model: type[Event]) -> None:
    name = f"admin:ledger_{model._meta.model_name}"
    row = model.objects.first()
    assert row is not None

    listed = root.get(reverse(f"{name}_changelist"))
    shown = root.get(reverse(f"{name}_change", args=[row.pk]))

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert 'name="_save"' not in shown.content.decode()
    assert 'value="delete_selected"' not in listed.content.decode()
    assert root.get(reverse(f"{name}_add")).status_code == 403
    assert root.get(reverse(f"{name}_delete", args=[row.pk])).status_code == 403


def test_an_event_is_shown_with_what_nobody_would_see(root: Client) -> None:
    event = Event.objects.get()

    shown = root.get(reverse("admin:ledger_event_change", args=[event.pk])).content.decode()

    assert "eve</span><mark>⟨U+202E⟩</mark><span> &lt;b&gt;" in shown
    assert "person:ada → task:1" in shown
    assert "not sealed yet" in shown


@pytest.mark.parametrize(
    ("model", "orders"), [("event", {"-id"}), ("outcome", {"at", "-at", "-task_id"})]
)
def test_no_list_can_be_put_in_an_order_that_reads_the_whole_table(
    root: Client, model: str, orders: set[str]
) -> None:
    name = f"admin:ledger_{model}_changelist"

    for column in range(1, 9):
        page = root.get(reverse(name), {"o": str(column)})
        first = page.context["cl"].queryset.query.order_by[0]
        assert first in orders


@pytest.mark.parametrize(
    ("model", "query", "rows"),
    [
        ("outcome", "how=verified", 1), ("outcome", "how=unverified", 1),
        ("outcome", "how=failed", 0), ("outcome", "how=nonsense", 2), ("outcome", "node=a", 2),
        ("outcome", "node=b", 0), ("outcome", "tier=1", 2), ("outcome", "tier=x", 2),
        ("outcome", "q=tidy", 2), ("outcome", "q=nobody", 0), ("event", "stream=task", 1),
        ("event", "stream=node", 0), ("event", "q=task_ended", 1), ("event", "q=1", 1),
        ("event", "q=nothing", 0),
    ],
)  # fmt: skip
def test_a_list_is_narrowed_by_what_an_index_answers(
    root: Client, model: str, query: str, rows: int
) -> None:
    page = root.get(reverse(f"admin:ledger_{model}_changelist") + f"?{query}")

    assert page.status_code == 200
    assert len(page.context["cl"].result_list) == rows


def test_an_outcome_is_found_by_its_task(root: Client) -> None:
    outcome = Outcome.objects.first()
    assert outcome is not None

    page = root.get(reverse("admin:ledger_outcome_changelist"), {"q": str(outcome.task_id)})

    assert list(page.context["cl"].result_list) == [outcome]


def test_a_list_of_outcomes_takes_few_queries(root: Client, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    done = Outcome.objects.values_list("task_id", flat=True)
    assert len(done) == 2

    with django_assert_max_num_queries(8):
        root.get(reverse("admin:ledger_outcome_changelist"))


def test_without_the_right_to_look_there_is_nothing_to_see() -> None:
    client = Client()
    client.force_login(User.objects.create_user("eve", is_staff=True))

    assert client.get(reverse("admin:ledger_event_changelist")).status_code == 403


def test_what_was_stopped_on_a_node_that_ended_nothing_since_is_listed_too(root: Client) -> None:
    NodeDay.objects.update(day=F("day") - timedelta(days=3))
    stopped = NewOutcome(task_id=new_id(), epoch=1, skill="s", tier=1, state="cancelled", node="a")
    record_outcomes([stopped])

    page = root.get(reverse("admin:ledger_outcome_changelist"), {"node": "a"})

    assert len(page.context["cl"].result_list) == 3
