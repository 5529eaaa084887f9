"""Settings are read strictly: what cannot be meant is refused by name."""

import pytest

from config.environment import BadSetting, switch


@pytest.mark.parametrize(
    ("given", "read"), [("on", True), (" ON ", True), ("off", False), ("", False)]
)
def test_a_switch_is_on_or_off(monkeypatch: pytest.MonkeyPatch, given: str, read: bool) -> None:
    monkeypatch.setenv("AUTONOMY_CODE_SKILLS", given)

    assert switch("AUTONOMY_CODE_SKILLS") is read


@pytest.mark.parametrize("given", ["yes", "1", "true", "shell"])
def test_another_word_for_on_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("AUTONOMY_CODE_SKILLS", given)

    with pytest.raises(BadSetting, match=r"AUTONOMY_CODE_SKILLS='.*' is neither on nor off"):
        switch("AUTONOMY_CODE_SKILLS")
