"""Generates the stubs of db.proto: `make protos`.

With --check, it only says whether they are fresh.
"""

import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

import protos

_PROTOS = Path(protos.__file__).parent
_PACKAGE = Path("lookalike/db/v1")
_STUBS = ("db_pb2.py", "db_pb2.pyi", "db_pb2_grpc.py", "db_pb2_grpc.pyi")


def generate(target: Path) -> None:
    """Writes the stubs under `target`, as modules of the package `protos`."""
    include = Path(protoc.__file__).parent / "_proto"
    status = protoc.main(
        [
            "protoc",
            f"-Iprotos={_PROTOS}",  # a virtual path, so that the stubs import `protos.lookalike...`
            f"-I{include}",
            f"--python_out={target}",
            f"--pyi_out={target}",
            f"--grpc_python_out={target}",
            f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).with_name('protoc-gen-mypy_grpc')}",
            f"--mypy_grpc_out={target}",
            f"protos/{_PACKAGE}/db.proto",
        ]
    )
    if status:
        sys.exit(status)


def main() -> None:
    """The command."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        made = {name: (Path(folder, "protos", _PACKAGE, name)).read_text() for name in _STUBS}
    if "--check" in sys.argv:
        stale = [name for name in _STUBS if (_PROTOS / _PACKAGE / name).read_text() != made[name]]
        if stale:
            sys.exit(f"Not what db.proto says: {', '.join(stale)}. Run `make protos`.")
        return
    for name in _STUBS:
        (_PROTOS / _PACKAGE / name).write_text(made[name])


if __name__ == "__main__":
    main()
