"""A person is shown all of an action, as it is stored."""

import json

from firewall.domain.rendering import laid_out


def test_an_action_is_laid_out_whole() -> None:
    action = {"args": {"to": "ada\u202e", "n": [1, 2]}, "tier": 3}

    shown = laid_out(json.dumps(action))

    assert json.loads(shown) == action
    assert '"to": "ada\u202e"' in shown
