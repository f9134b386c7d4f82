"""The schemas that ethereum/execution-apis publishes of the answers of JSON-RPC."""

import os
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

_FOLDER = Path(os.environ.get("ALATAU_CONFORMANCE") or Path(__file__).parents[3] / "shared" / "conformance")
_SOURCES = "execution_apis/spec/src/"
ARCHIVE = _FOLDER / "execution_apis.tar.xz"


@cache
def _specification() -> tuple[dict[str, Any], dict[str, Any]]:
    """Schemas of values by name, and of results by method."""
    schemas: dict[str, Any] = {}
    results: dict[str, Any] = {}
    with tarfile.open(ARCHIVE) as tar:
        for member in tar:
            if not member.name.startswith(_SOURCES) or not member.name.endswith(".yaml"):
                continue
            folder = member.name.removeprefix(_SOURCES).split("/")[0]
            content = tar.extractfile(member)
            assert content is not None
            document = yaml.load(content, yaml.CSafeLoader)
            if folder == "schemas":
                schemas |= document
            elif folder in ("eth", "debug", "txpool"):
                results |= {method["name"]: method["result"]["schema"] for method in document if "result" in method}
    logs_or_hashes = schemas["FilterResults"]  # exactly one of two lists, and an empty one is both
    logs_or_hashes["anyOf"] = logs_or_hashes.pop("oneOf")
    return schemas, results


@cache
def _validator(method: str) -> Draft202012Validator | None:
    schemas, results = _specification()
    if method not in results:
        return None
    return Draft202012Validator({"components": {"schemas": schemas}, **results[method]})


def check_result(method: str, result: Any) -> bool:
    """Whether a schema is published for a method's result; raises ``ValidationError`` where it does not fit.

    Without the published files nothing is checked here; ``tests/conformance/test_jsonrpc.py`` demands them.
    """
    validator = _validator(method) if ARCHIVE.exists() else None
    if validator is None:
        return False
    validator.validate(result)
    return True
