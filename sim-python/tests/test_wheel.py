"""The wheel is what its name says, and has what an index asks for."""

import base64
import csv
import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

from packaging.metadata import Metadata
from packaging.utils import parse_wheel_filename

WHEEL = Path(os.environ["STAMPEDE_WHEEL"])
ROOT = Path(os.environ.get("STAMPEDE_PAGES", Path(__file__).parents[2]))


def content():
    with zipfile.ZipFile(WHEEL) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def test_one_wheel_serves_every_python_from_3_10(program):
    name, version, _, tags = parse_wheel_filename(WHEEL.name)
    assert name == "stampede"
    assert {(tag.interpreter, tag.abi) for tag in tags} == {("cp310", "abi3")}
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout == f"stampede {version}\n"


def test_what_it_tells_of_itself_is_valid():
    files = content()
    [info] = {name.split("/")[0] for name in files if ".dist-info/" in name}
    metadata = Metadata.from_email(files[f"{info}/METADATA"], validate=True)
    assert metadata.license_expression == "MIT OR Apache-2.0"
    assert set(metadata.license_files or []) == {"LICENSE-MIT", "LICENSE-APACHE"}
    for name in metadata.license_files or []:
        own = (ROOT / name).read_bytes()
        assert files[f"{info}/licenses/{name}"] == own
    assert metadata.description and "import stampede" in metadata.description
    assert str(metadata.requires_python) == ">=3.10"


def test_it_holds_the_package_and_nothing_else():
    files = content()
    for name in ["stampede/__init__.py", "stampede/py.typed", "stampede/_native.pyi", "stampede/_native.abi3.so"]:
        assert name in files
    strangers = [name for name in files if not name.startswith("stampede") or "test" in name or "__pycache__" in name]
    assert not strangers
    # Texts say nothing of the machine they were put together on.
    assert not [name for name, text in files.items() if not name.endswith(".so") and str(ROOT).encode() in text]
    # 7.0 MB as CI builds it, without optimisation across crates: more is something that does not belong there.
    assert WHEEL.stat().st_size < 9_000_000


def test_every_file_is_recorded():
    files = content()
    [record] = [name for name in files if name.endswith("/RECORD")]
    rows = {name: sum_ for name, sum_, _ in csv.reader(files[record].decode().splitlines())}
    assert set(rows) == set(files)
    for name, sum_ in rows.items():
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
            assert sum_ == f"sha256={digest.decode()}", name
