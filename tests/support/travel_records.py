"""A travel record as payers write it."""

from typing import Any, Final

RECORD: Final[dict[str, Any]] = {
    "originator": {
        "originatorPersons": [
            {
                "naturalPerson": {
                    "name": {
                        "nameIdentifier": [
                            {
                                "primaryIdentifier": "Серікова",
                                "secondaryIdentifier": "Айгүл",
                                "nameIdentifierType": "LEGL",
                            }
                        ]
                    },
                    "customerIdentification": "900101400123",
                }
            }
        ],
        "accountNumber": ["0x56Fc2E75FB3A3318BE787d73Bd0ce8103bE163EA"],
    },
    "beneficiary": {
        "beneficiaryPersons": [
            {
                "legalPerson": {
                    "name": {
                        "nameIdentifier": [{"legalPersonName": "Bazar LLP", "legalPersonNameIdentifierType": "LEGL"}]
                    }
                }
            }
        ],
        "accountNumber": ["0xe2BFee4a417f0cDC317cf53C559b625DE10435A8"],
    },
}
"""A resident pays a merchant."""
