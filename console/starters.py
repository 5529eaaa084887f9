"""What `autonomy new` writes: small skills that run, with a verifier and a test that can fail."""

from string import Template

PYTHON = Template('''\
"""What `$name` does, and how anybody can see that it did."""

from autonomy.sdk import Context, Evidence, VerifierContext, skill
from autonomy.sdk.evidence import check

FILE = "greeting.txt"


@skill(name="$name", tier=1, owner="$owner", estimate="1s")
def $function(ctx: Context, name: str) -> str:
    """Keep a greeting for somebody."""
    (ctx.artifacts / FILE).write_text(f"Hello, {name}!")
    return name


@$function.verify
def _(ctx: VerifierContext, args: dict[str, str], result: str) -> Evidence:
    kept = ctx.artifacts[FILE].read_text()
    return Evidence.of(check(FILE, expected=f"Hello, {args['name']}!", seen=kept))
''')

COMMAND = Template("""\
${schema}name: $name
description: Keep a greeting for somebody.
tier: 1
owner: $owner
estimate: 1s
arguments:
  name: {type: string, description: Who is greeted., minLength: 1}
run: [tee, "{ctx.artifacts}/greeting.txt"]
stdin: "Hello, {name}!"
verify:
  - command_answers:
      argv: [cat, "{ctx.artifacts}/greeting.txt"]
      contains: "Hello, {name}!"
""")

HTTP = Template("""\
${schema}name: $name
description: Ask a service of this platform how it is.
tier: 1
owner: $owner
estimate: 1s
arguments:
  part: {enum: [live, ready], default: live, description: What is asked for.}
http:
  url: $address/health/{part}
  local: true          # a private address; leave it out for the rest of the world
  timeout: 10s
result: json
verify:
  - http: {url: "$address/health/{part}", local: true, json: {status: "{result.status}"}}
""")

TEST_OF_GREETING = Template('''\
"""`$name` in a real session, and its verifier: `python -m pytest $test`."""

from pathlib import Path

from autonomy.testing import Bench

SKILLS = Path(__file__).parents[1]


def test_a_greeting_is_kept_and_verified() -> None:
    with Bench(SKILLS) as bench:
        tried = bench.run("$name", name="Ada")

        assert tried.verdict == "verified", tried.why
        assert tried.artifacts["greeting.txt"].read_text() == "Hello, Ada!"


def test_another_greeting_than_the_one_asked_for_is_refuted() -> None:
    with Bench(SKILLS) as bench:
        tried = bench.run("$name", name="Ada")
        tried.artifacts["greeting.txt"].write_text("Hello, Bob!")

        assert bench.verify(tried).verdict == "refuted"


def test_a_name_has_to_be_given() -> None:
    with Bench(SKILLS) as bench:
        assert "name: Field required" in bench.run("$name").why
''')

TEST_OF_ASKING = Template('''\
"""`$name` in a real session, and its verifier: `python -m pytest $test`."""

from pathlib import Path

from autonomy.testing import Bench, serving

SKILLS = Path(__file__).parents[1]
REAL = "$address"


def test_the_answer_is_the_result_and_verified() -> None:
    with serving({"/health/live": (200, b'{"status": "live"}')}) as service:
        with Bench(SKILLS, instead={REAL: service.url}) as bench:
            tried = bench.run("$name")

    assert tried.verdict == "verified", tried.why
    assert tried.result == {"status": "live"}


def test_another_answer_the_second_time_is_refuted() -> None:
    with serving() as service:
        service.answers = [(200, {}, b'{"status": "live"}'), (200, {}, b'{"status": "gone"}')]
        with Bench(SKILLS, instead={REAL: service.url}) as bench:
            assert bench.run("$name").verdict == "refuted"


def test_a_service_that_is_away_is_asked_again_later() -> None:
    with serving({"/health/live": (503, b"")}) as service:
        with Bench(SKILLS, instead={REAL: service.url}) as bench:
            assert bench.run("$name").error_class == "transient"
''')
