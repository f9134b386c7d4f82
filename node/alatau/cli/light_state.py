"""What ``alatau light`` remembers: the newest header that it believes, in a small file.

Whoever can write the file decides what is believed: it is private, and replaced whole or not at all.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alatau.app.json_field import DocumentError, pretty_json, read_document
from alatau.app.private_file import write_private
from alatau.client.light import LightClient, TrustedHeader
from alatau.types.header import decode_header, encode_header, header_hash
from alatau.types.validator import decode_validator_set, encode_validator_set

_FORMAT: Final = 1
_SIZE_MAX: Final = 4 * 1024 * 1024
"""Bytes: a set of ten thousand validators."""


@dataclass(frozen=True, slots=True)
class LightState:
    """The content of the file."""

    anchor: bytes
    """Hash of the block at which trust began."""
    chain_id: int
    genesis_hash: bytes
    trusted: TrustedHeader

    def client(self, **options: Any) -> LightClient:
        """Go on from here."""
        return LightClient(self.chain_id, self.genesis_hash, self.trusted, **options)


def write_light_state(path: Path, anchor: bytes, light: LightClient) -> None:
    """Note what is believed now. Raises ``OSError``."""
    trusted = light.trusted
    document = {
        "format": _FORMAT,
        "anchor": _hex(anchor),
        "chain_id": light.chain_id,
        "genesis_hash": _hex(light.genesis_hash),
        "height": trusted.header.number,
        "hash": _hex(trusted.hash),
        "header": _hex(encode_header(trusted.header)),
        "validators": _hex(encode_validator_set(trusted.validators)),
    }
    write_private(path, pretty_json(document), replace=True)


def read_light_state(path: Path) -> LightState | None:
    """What was noted; None where there is no file yet.

    Raises:
        DocumentError: the file is no such file, or its parts do not belong together.
    """
    if not path.exists():
        return None
    fields = read_document(path, _SIZE_MAX).members(
        ("format", "anchor", "chain_id", "genesis_hash", "height", "hash", "header", "validators")
    )
    if fields["format"].integer() != _FORMAT:
        raise fields["format"].wrong(f"{_FORMAT}, the format that this program writes")
    try:
        header = decode_header(fields["header"].hex())
        validators = decode_validator_set(fields["validators"].hex())
    except ValueError as error:
        raise DocumentError(f"{path} is damaged ({error}): remove it and begin again with --trust") from error
    named = (fields["height"].integer(), fields["hash"].hex(32), header.extra_data)
    if named != (header.number, header_hash(header), validators.hash):
        raise DocumentError(f"{path} is damaged (its parts differ): remove it and begin again with --trust")
    return LightState(
        fields["anchor"].hex(32),
        fields["chain_id"].integer(),
        fields["genesis_hash"].hex(32),
        TrustedHeader(header, header_hash(header), validators),
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
