"""What can be wrong with the repository that a steward is pointed at."""


class BadSource(Exception):
    """It cannot be looked after as it is; the message says what to do next."""


class NoRepository(BadSource):
    """There is no git repository where one was named."""


class EmptyRepository(BadSource):
    """The repository has no commit yet."""


class Unreachable(BadSource):
    """A network, or somebody at its other end, is missing."""
