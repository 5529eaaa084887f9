"""What the tests of a skill need: a bench that runs it as a node would, without a database.

    with Bench(Path("hello")) as bench:
        tried = bench.run("greet", name="Ada")
    assert tried.verdict == "verified", tried.why

Skills that ask over HTTP are shown a service of the test instead of the real one:

    with serving({"/status": (200, b"fine")}) as service:
        with Bench(Path("hello"), instead={"https://example.com": service.url}) as bench: …

The skill runs in a real session, in a process of its own, cut off as far as this machine can; its
pre-flight comes before and its verifier after. An approval of tier 3 is taken as given.
"""

from autonomy.testing.bench import Bench
from autonomy.testing.serving import HANG_UP, Service, serving
from autonomy.testing.tried import Tried
from autonomy.testing.trying import UnknownSkill

__all__ = ["HANG_UP", "Bench", "Service", "Tried", "UnknownSkill", "serving"]
