"""Importing skill modules: what runs is what the sources say."""

import os
import py_compile
import subprocess
import sys
from pathlib import Path

IMPORTED = """
import sys
from pathlib import Path
from autonomy.sessions.modules import Imports
folder = Path(sys.argv[1])
Imports().folder(folder)
print(sys.modules["kept_skills.made"].VERSION)
"""


def test_a_compiled_file_that_looks_fresh_and_is_not_is_never_run(tmp_path: Path) -> None:
    folder = tmp_path / "kept_skills"
    folder.mkdir()
    source = folder / "made.py"
    source.write_text('VERSION = "old"\n')
    py_compile.compile(str(source), doraise=True)
    before = source.stat()
    source.write_text('VERSION = "new"\n')
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    ended = subprocess.run(
        [sys.executable, "-c", IMPORTED, folder],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.stdout.strip(), ended.stderr) == ("new", "")
