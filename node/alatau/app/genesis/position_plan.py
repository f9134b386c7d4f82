"""The position ledger in a network's plan: classes, places and limits of custodians, as JSON."""

from typing import Any, Final

from alatau.app.json_field import JsonField
from alatau.artifacts.positions import AssetClass, ClassTerms, CustodianLimit, Place, PositionPlan

_AGE_MAX_S: Final = 400 * 86_400
"""Bound in positions.vy, as those below."""
_BPS_MAX: Final = 10_000
_ATTESTERS_MAX: Final = 8
_LIMIT_MAX: Final = 2**128 - 1
_NAMES: Final = {kind.name.lower(): kind for kind in AssetClass}


def positions_to_json(plan: PositionPlan) -> dict[str, Any]:
    """The document of a ledger's plan."""
    return {
        "threshold": plan.threshold,
        "classes": {
            kind.name.lower(): {
                "quantity_age_s": terms.quantity_age_s,
                "price_age_s": terms.price_age_s,
                "deviation_bps": terms.deviation_bps,
                "haircut_bps": terms.haircut_bps,
            }
            for kind, terms in sorted(plan.classes.items())
        },
        "places": [
            {
                "kind": place.kind.name.lower(),
                "asset": _hex(place.asset),
                "custodian": _hex(place.custodian),
                "account_hash": _hex(place.account_hash),
            }
            for place in plan.places
        ],
        "limits": [
            {"custodian": _hex(one.custodian), "asset": _hex(one.asset), "limit": str(one.limit)} for one in plan.limits
        ],
    }


def positions_from_json(document: JsonField) -> PositionPlan:
    """Read a document; raises ``DocumentError``."""
    f = document.members(("threshold", "classes", "places", "limits"))
    return PositionPlan(
        threshold=f["threshold"].integer(2, _ATTESTERS_MAX),
        classes={_kind(name, f["classes"]): _terms(value) for name, value in f["classes"].entries().items()},
        places=tuple(_place(item) for item in f["places"].items()),
        limits=tuple(_limit(item) for item in f["limits"].items()),
    )


def _terms(document: JsonField) -> ClassTerms:
    f = document.members(("quantity_age_s", "price_age_s", "deviation_bps", "haircut_bps"))
    ages = (f[name].integer(0, _AGE_MAX_S) for name in ("quantity_age_s", "price_age_s"))
    return ClassTerms(*ages, *(f[name].integer(0, _BPS_MAX) for name in ("deviation_bps", "haircut_bps")))


def _place(document: JsonField) -> Place:
    f = document.members(("kind", "asset", "custodian", "account_hash"))
    kind = _kind(f["kind"].text(), f["kind"])
    return Place(kind, f["asset"].hex(20), f["custodian"].hex(20), f["account_hash"].hex(32))


def _limit(document: JsonField) -> CustodianLimit:
    f = document.members(("custodian", "asset", "limit"))
    return CustodianLimit(f["custodian"].hex(20), f["asset"].hex(20), f["limit"].integer(0, _LIMIT_MAX))


def _kind(name: str, where: JsonField) -> AssetClass:
    if name not in _NAMES:
        raise where.wrong("one of " + ", ".join(_NAMES))
    return _NAMES[name]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
