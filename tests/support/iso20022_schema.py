"""XML schemas of ISO 20022 messages, from the dataclasses that the package pyiso20022 made of the published ones.

The package ships no schema files, but everything that they say: order, occurrence, patterns, lengths, digits.
Alternatives alone are not marked; in ISO 20022 a type is a choice exactly if its name ends in ``Choice``.
"""

import dataclasses
import enum
import importlib
import typing
from decimal import Decimal
from functools import cache
from types import ModuleType, NoneType, UnionType
from typing import Any
from xml.sax.saxutils import quoteattr

import xmlschema
from xsdata.models.datatype import XmlDate, XmlDateTime, XmlPeriod, XmlTime

_BUILT_IN = {
    str: "xs:string",
    bool: "xs:boolean",
    Decimal: "xs:decimal",
    XmlDate: "xs:date",
    XmlDateTime: "xs:dateTime",
    XmlTime: "xs:time",
    XmlPeriod: "xs:gYearMonth",
}
_FACETS = {
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "min_inclusive": "minInclusive",
    "total_digits": "totalDigits",
    "fraction_digits": "fractionDigits",
}


@cache
def schema_of(message: str) -> xmlschema.XMLSchema:
    """The schema of a message such as ``camt.053.001.08``."""
    name = message.replace(".", "_")
    module = importlib.import_module(f"pyiso20022.{message[:4]}.{name}.{name}")
    types = [
        value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
    ]
    return xmlschema.XMLSchema(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"'
        f' xmlns="{_namespace(module)}" targetNamespace="{_namespace(module)}">'
        '<xs:element name="Document" type="Document"/>' + "".join(map(_type, types)) + "</xs:schema>"
    )


def _namespace(module: ModuleType) -> str:
    return str(module.__NAMESPACE__)


def _type(kind: type) -> str:
    if issubclass(kind, enum.Enum):
        values = "".join(f"<xs:enumeration value={quoteattr(member.value)}/>" for member in kind)
        restricted = f'<xs:restriction base="xs:string">{values}</xs:restriction>'
        return f'<xs:simpleType name="{kind.__name__}">{restricted}</xs:simpleType>'
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    if fields and "type" not in fields[0].metadata:
        return _amount(kind, fields, hints)
    group = "choice" if kind.__name__.endswith("Choice") else "sequence"
    parts = "".join(_element(field, hints[field.name], choice=group == "choice") for field in fields)
    return f'<xs:complexType name="{kind.__name__}"><xs:{group}>{parts}</xs:{group}></xs:complexType>'


def _amount(kind: type, fields: tuple[dataclasses.Field[Any], ...], hints: dict[str, Any]) -> str:
    """A text with attributes: a value, whose type gets a name of its own, and what stands beside it."""
    value, *attributes = fields
    simple = f"{kind.__name__}_SimpleType"
    listed = "".join(
        f'<xs:attribute name="{field.metadata["name"]}" use="required">'
        f"{_simple(field, hints[field.name])}</xs:attribute>"
        for field in attributes
    )
    return (
        _simple(value, hints[value.name]).replace("<xs:simpleType>", f'<xs:simpleType name="{simple}">', 1)
        + f'<xs:complexType name="{kind.__name__}"><xs:simpleContent><xs:extension base="{simple}">{listed}'
        "</xs:extension></xs:simpleContent></xs:complexType>"
    )


def _element(field: dataclasses.Field[Any], hint: Any, *, choice: bool) -> str:
    data = field.metadata
    many = typing.get_origin(hint) is list
    least = 1 if data.get("required") or choice or data["type"] == "Wildcard" else data.get("min_occurs", 0)
    most = data.get("max_occurs", "unbounded") if many else 1
    occurs = f'minOccurs="{least}" maxOccurs="{most}"'
    if data["type"] == "Wildcard":
        return f'<xs:any namespace="##any" processContents="lax" {occurs}/>'
    assert data["type"] == "Element"
    kind = _bare(hint)
    if kind not in _BUILT_IN:
        return f'<xs:element name="{data["name"]}" type="{kind.__name__}" {occurs}/>'
    return f'<xs:element name="{data["name"]}" {occurs}>{_simple(field, hint)}</xs:element>'


def _simple(field: dataclasses.Field[Any], hint: Any) -> str:
    facets = "".join(
        f"<xs:{name} value={quoteattr(str(field.metadata[key]))}/>"
        for key, name in _FACETS.items()
        if key in field.metadata
    )
    base = _BUILT_IN[_bare(hint)]
    return f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'


def _bare(hint: Any) -> Any:
    """``T`` of ``T | None`` and ``list[T]``."""
    if typing.get_origin(hint) is list:
        (inner,) = typing.get_args(hint)
        return inner
    if isinstance(hint, UnionType) or typing.get_origin(hint) is typing.Union:
        (inner,) = (part for part in typing.get_args(hint) if part is not NoneType)
        return inner
    return hint
