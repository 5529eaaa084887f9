"""The environment of each process, from what a person set and what the installation adds."""

from pathlib import Path

import pytest

from console.host.connections import connect, setting
from console.host.environment import environment_of, node_names, read_dotenv
from console.host.errors import SettingRefused
from console.host.home import Home
from console.host.processes import background
from console.host.secrets import Secrets
from console.host.urls import password_of, shown, with_login

SETTINGS = {"DATABASE_URL": "postgresql://app:a@h/d", "SECRET_KEY": "k", "AUTONOMY_HOME": "/h"}


def test_what_a_person_set_reaches_a_process_but_not_over_what_the_platform_sets() -> None:
    given = {"TZ": "Europe/Vienna", "DATABASE_URL": "postgresql://owner:o@h/d"}

    made = environment_of("web", given, SETTINGS)

    assert made["TZ"] == "Europe/Vienna"
    assert made["DATABASE_URL"] == "postgresql://app:a@h/d"
    assert made["DJANGO_SETTINGS_MODULE"] == "config.settings"


def test_the_file_of_a_setting_does_not_outrank_what_was_made_of_it() -> None:
    given = {"DATABASE_URL_FILE": "/run/owner", "AUTONOMY_APP_URL_FILE": "/run/app"}

    assert not any(name.endswith("_FILE") for name in environment_of("web", given, SETTINGS))


def test_only_a_node_is_told_which_node_it_is() -> None:
    assert environment_of("n2", {}, SETTINGS)["AUTONOMY_NODE"] == "n2"
    assert "AUTONOMY_NODE" not in environment_of("web", {}, SETTINGS)


def test_there_are_three_nodes_unless_others_are_named() -> None:
    assert node_names({}) == ("n1", "n2", "n3")
    assert node_names({"AUTONOMY_NODES": "big, small ,big"}) == ("big", "small")


@pytest.mark.parametrize("name", ["N1", "a b", "-n", "n.1", "n" * 41, "n;rm"])
def test_a_name_that_no_queue_can_have_is_refused(name: str) -> None:
    with pytest.raises(SettingRefused, match="AUTONOMY_NODES"):
        node_names({"AUTONOMY_NODES": name})


def test_a_machine_runs_an_engine_a_ticker_and_the_nodes_named() -> None:
    commands = {one.name: one.command for one in background({"AUTONOMY_NODES": "n7"}, SETTINGS)}

    assert set(commands) == {"engine", "beat", "n7"}
    assert commands["n7"][-3:] == ("node", "--name", "n7")


def test_a_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://o:p@h/d\n")

    assert setting({"X_FILE": str(tmp_path / "url")}, "X") == "postgresql://o:p@h/d"
    with pytest.raises(SettingRefused, match="X_FILE"):
        setting({"X_FILE": str(tmp_path / "none")}, "X")


def test_roles_that_were_given_are_used_and_the_others_are_made(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.secrets.mkdir()
    Secrets(home).make()
    given = {
        "DATABASE_URL": "postgresql://own:er@db:6/main",
        "REDIS_URL": "redis://r/0",
        "AUTONOMY_READER_URL": "postgresql://mine:x@replica/main",
    }

    uses = connect(given, Secrets(home), postgres_port=None, valkey_port=None)

    assert uses.reader == given["AUTONOMY_READER_URL"]
    assert shown(uses.app) == "postgresql://main_app@db:6/main"
    assert password_of(uses.verifier) == Secrets(home)["verifier.password"]
    assert not any("er@" in url for url in uses.settings().values())


def test_a_login_with_odd_characters_survives_the_url() -> None:
    url = with_login("postgresql://a:b@[::1]:5/d?sslmode=require", "ü/r", "p@s:s/#?")

    assert password_of(url) == "p@s:s/#?"
    assert url.endswith("@[::1]:5/d?sslmode=require")
    assert shown(url).startswith("postgresql://%C3%BC%2Fr@")


def test_a_dotenv_file_gives_settings_and_ignores_the_rest(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# a comment\nTZ=UTC\nexport A='b c'\n\nnonsense\nEMPTY=\nURL=x?a=b\n")

    assert read_dotenv(file) == {"TZ": "UTC", "A": "b c", "EMPTY": "", "URL": "x?a=b"}
    assert read_dotenv(tmp_path / "none") == {}
