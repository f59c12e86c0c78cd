"""The example for logrotate, run by it where it is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lookalike.processes.sink import LogSink
from tests.docs import documents
from tests.waiting import wait_until

PATH = "/usr/sbin:/usr/bin:/bin"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("logrotate", path=PATH) is None, reason="is not installed")
def test_lines_go_on_at_the_beginning_of_what_was_cut(tmp_path: Path) -> None:
    (block,) = documents.blocks("logrotate")
    log = tmp_path / "lookalike.log"
    name, _, rest = block.text.partition(" ")
    assert Path(name).name == log.name
    assert "su ada ada" in rest
    config = tmp_path / "logrotate.conf"
    config.write_text(f"{log} {rest.replace('su ada ada', f'su {os.getuid()} {os.getgid()}')}")
    with log.open("ab") as file:
        sink = LogSink(file.fileno())
    sink.write("before\n")
    wait_until(lambda: log.read_text() == "before\n")
    subprocess.run(
        ["logrotate", "--force", "--state", str(tmp_path / "state"), str(config)],
        env={"PATH": PATH},
        check=True,
    )
    sink.write("after\n")
    sink.close(10)
    assert log.read_text() == "after\n"
    assert (tmp_path / "lookalike.log.1.gz").exists()
