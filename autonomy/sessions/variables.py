"""Which settings of the node's environment reach a session: none that could hold a password."""

from collections.abc import Mapping
from urllib.parse import urlsplit

OF_THE_ZYGOTE = ("LANG", "LC_ALL", "TZ", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
OF_A_NETWORK = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
)
"""How those with a network find their way: whom to trust, through whom, where packages are."""

LEAN = {"PYDANTIC_DISABLE_PLUGINS": "1"}
"""To look for plugins is to read all that is installed, which every session would inherit."""


def for_zygote(environ: Mapping[str, str]) -> dict[str, str]:
    """What the zygote is given; an address with a password in it is left out."""
    return _picked(environ, (*OF_THE_ZYGOTE, *OF_A_NETWORK))


def for_session(environ: Mapping[str, str], *, network: bool) -> dict[str, str]:
    """What a session is given of it."""
    return _picked(environ, OF_A_NETWORK) if network else {}


def _picked(environ: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    found = {name: environ[name] for name in names if name in environ}
    return {name: value for name, value in found.items() if not urlsplit(value).password}
