"""URLs of databases: who signs in, and what may be shown of them."""

from urllib.parse import quote, unquote, urlsplit


def is_database_url(url: str) -> bool:
    """Whether it names a PostgreSQL database in full."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"postgresql", "postgres"} and bool(database_of(url))


def with_login(url: str, user: str, password: str) -> str:
    """The same database, as another role."""
    parts = urlsplit(url)
    _, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{quote(user)}:{quote(password)}@{place}").geturl()


def user_of(url: str) -> str:
    """The role that signs in."""
    return unquote(urlsplit(url).username or "")


def database_of(url: str) -> str:
    """The name of the database."""
    return unquote(urlsplit(url).path.lstrip("/"))


def shown(url: str) -> str:
    """The URL without its password."""
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    user = login.partition(":")[0]
    return parts._replace(netloc=f"{user}@{place}" if user else place).geturl()
