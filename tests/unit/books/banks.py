"""Whom messages to banks name in tests, and reading the messages by the published schemas."""

from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from alatau.books.parties import Agent, Holder
from tests.support.iso20022_schema import schema_of

MERCHANT = Holder("Abai & Sons <café> «Құс»", "KZ86125KZT5004100100")
HUB = Holder("Almaty Hub", "HUB-0001")
BANK = Agent("Bank of the City", "ABCDKZKA")
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=140,
).filter(str.strip)
"""Whatever fits into a name, however hostile."""


def read(message: str, data: bytes) -> ET.Element:
    """The message, which the schema of ``camt.053.001.08`` or the like takes."""
    schema_of(message).validate(data)
    return ET.fromstring(data)


def texts(element: ET.Element, path: str) -> list[str]:
    """Texts at ``A/B/C`` in the message's namespace."""
    space = element.tag.partition("}")[0] + "}"
    return [found.text or "" for found in element.findall("/".join(space + part for part in path.split("/")))]
