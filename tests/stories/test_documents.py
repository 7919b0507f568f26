"""What README and docs tell a person to type, and to write, works."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tracelog import cli, fields
from tracelog.fields import LEADING


ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)
# Run by CI itself, from a clean checkout, and by the tests of the demo and of the servers.
ELSEWHERE = ("demo", "file: serve.py", "test")
FOLLOWING = "tracelog tail "  # goes on until Ctrl-C; see below
SERVERS = ("uvicorn ", "gunicorn ", "hypercorn ")

# What a reader has: an application, a log, some rotated ones.
APP = """
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""
LINE = (
    '{"timestamp":"2026-11-22T10:10:10.123456Z","level":"warning","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user_id":"user-456",'
    '"utterance":1,"kind":"websocket","arrived_at":"2026-11-22T10:10:09.600000Z",'
    '"socket_ms":500.0,"queue_ms":0.1,"total_ms":523.4,"late":true}\n'
)


def blocks(kind):
    for document in DOCUMENTS:
        for number, match in enumerate(BLOCK.finditer(document.read_text("utf-8"))):
            if match["kind"] == kind and (match["mark"] or "") not in ELSEWHERE:
                name = f"{document.name}-{number}"
                yield pytest.param(match["text"], match["mark"] or "", id=name)


def load_pictures():
    path = Path(__file__).with_name("pictures.py")
    spec = importlib.util.spec_from_file_location("pictures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pictures = load_pictures()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Write what `logs/` has in the documents: three services, four hosts, an hour."""
    folder = tmp_path_factory.mktemp("fleet")
    pictures.write_logs(folder)
    return folder


@pytest.fixture
def folder(tmp_path, fleet):
    shutil.copy(ROOT / "logging.yaml", tmp_path)
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "app.log").write_text(LINE)
    (tmp_path / "logs").mkdir()
    for log in (fleet / "logs").iterdir():
        (tmp_path / "logs" / log.name).symlink_to(log)
    (tmp_path / "logs" / "a.gz").write_bytes(gzip.compress(LINE.encode()))
    (tmp_path / "logs" / "app.log.1").write_text(LINE)
    return tmp_path


def run(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(("text", "mark"), list(blocks("python")))
def test_every_snippet_runs(text, mark, folder):
    """A Python snippet of the documents runs as it stands, given an `app`, without a warning."""
    script = folder / "snippet.py"
    script.write_text(f"from app import app\n{text}")

    done = run([sys.executable, script.name], folder)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("text", "mark"), list(blocks("sh")))
def test_every_command_works(text, mark, folder):
    """A command of the documents works in a folder that has what its reader has."""
    endless = (*SERVERS, FOLLOWING)
    commands = [line for line in text.splitlines() if not line.startswith(endless)]
    if "tracelog init" in commands:
        (folder / "logging.yaml").unlink()

    done = [run(["bash", "-c", command], folder) for command in commands]

    assert [each.returncode for each in done] == [0] * len(commands), done


@pytest.mark.parametrize(
    "command",
    [
        line
        for block in blocks("sh")
        for line in block.values[0].splitlines()
        if line.startswith(FOLLOWING)
    ],
)
def test_every_log_that_is_followed_is_shown(command, folder):
    """A command of the documents that goes on shows what there is, and ends in good order."""
    process = subprocess.Popen(
        [Path(sys.executable).parent / "tracelog", *shlex.split(command)[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    shown = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]

    assert "late utterance 1" in shown
    assert process.returncode == 130, said
    assert "1 of them late" in said


@pytest.mark.parametrize(("text", "mark"), list(blocks("json")))
def test_every_line_shown_is_one_that_we_read(text, mark, folder):
    """A JSON line of the documents has the five leading keys, in their order."""
    assert tuple(json.loads(text))[:5] == LEADING


def test_the_first_picture_is_what_late_shows(fleet, monkeypatch):
    """`python tests/stories/pictures.py` draws it anew."""
    monkeypatch.chdir(fleet)

    drawn, stored = pictures.picture(), (ROOT / "docs" / "late.svg").read_text("utf-8")

    words = [re.findall(r">([^<>]+)</text>", picture) for picture in (drawn, stored)]
    assert words[0] == words[1]


def test_what_is_shown_below_a_command_is_what_it_prints(fleet, monkeypatch):
    """`python tests/stories/pictures.py` writes it anew."""
    monkeypatch.chdir(fleet)
    page = (ROOT / "docs" / "three_in_the_morning.md").read_text("utf-8")

    shown = {command: (text, real) for command, text, real in pictures.texts(page)}

    assert len(shown) == 4
    for command, (text, real) in shown.items():
        assert text == real, command


def test_every_command_has_a_line_on_the_front_page():
    """Whoever has just come sees all that there is."""
    front = (ROOT / "README.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `tracelog (\w+)` \|", front, re.MULTILINE))

    assert listed == cli._COMMANDS.keys()


def test_every_key_is_documented():
    """What the code writes into a line stands in docs/."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))
    keys = {value for name, value in vars(fields).items() if name.isupper() and name != "LEADING"}

    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def test_the_two_configurations_are_one():
    """The file at the top level is what the package ships, byte for byte, and ASCII."""
    top_level = (ROOT / "logging.yaml").read_bytes()

    assert top_level == (ROOT / "tracelog" / "logging.yaml").read_bytes()
    assert top_level.isascii()
