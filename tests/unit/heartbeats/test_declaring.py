import pytest

from autonomy.sdk import registry
from autonomy.sdk.errors import SkillDeclarationError
from heartbeats.sdk import Finding, View, detector


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_current", registry.Registry())


def test_a_detector_declares_what_it_reads_by_its_parameters() -> None:
    @detector(every="1m", kind="external", read=("{folder}/inbox", "/etc/hostname"))
    def looks(view: View, folder: str) -> list[Finding]:
        return []

    assert looks.declaration()["read"] == ["{folder}/inbox", "/etc/hostname"]


@pytest.mark.parametrize("path", ["{other}", "{optional}"])
def test_reading_what_no_required_parameter_names_is_refused(path: str) -> None:
    with pytest.raises(SkillDeclarationError, match="`read` names"):

        @detector(every="1m", kind="external", read=(path,))
        def looks(view: View, folder: str, optional: str = "") -> list[Finding]:
            return []
