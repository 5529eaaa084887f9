"""What a skill raises to say how its failure should be treated (C-7)."""


class SkillDeclarationError(Exception):
    """A skill was declared in a way that cannot be run; the message says what to change."""


class Permanent(Exception):
    """It will not work however often it is tried."""


class Transient(Exception):
    """It may work when tried again."""


class DidNotHappen(Transient):
    """Raised inside of an effect: it has certainly not happened, and may be tried again."""


class Ambiguous(Exception):
    """An effect was begun and nobody can tell whether it happened: a person must look."""


class FilesLost(Transient):
    """What a session left is not on this node: whatever rests on it cannot be told here."""
