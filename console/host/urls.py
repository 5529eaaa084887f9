"""URLs of databases: who signs in, and what may be shown of them."""

from urllib.parse import quote, unquote, urlsplit

from console.host.errors import SettingRefused


def refuse_malformed(setting: str, url: str) -> None:
    """Raise SettingRefused unless the URL names a PostgreSQL database in full."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        if parts.scheme in {"postgresql", "postgres"} and database_of(url):
            return
    except ValueError:
        pass  # told below: it cannot be taken apart
    raise SettingRefused(
        f"{setting} is not the URL of a PostgreSQL database",
        f"set {setting}=postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
    )


def with_login(url: str, user: str, password: str) -> str:
    """The same database, as another role."""
    parts = urlsplit(url)
    _, _, place = parts.netloc.rpartition("@")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{login}@{place}").geturl()


def user_of(url: str) -> str:
    """The role that signs in."""
    return unquote(urlsplit(url).username or "")


def password_of(url: str) -> str:
    """The password it signs in with."""
    return unquote(urlsplit(url).password or "")


def database_of(url: str) -> str:
    """The name of the database."""
    return unquote(urlsplit(url).path.lstrip("/"))


def shown(url: str) -> str:
    """The URL without its password."""
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    return parts._replace(netloc=f"{user}@{place}" if user else place).geturl()
