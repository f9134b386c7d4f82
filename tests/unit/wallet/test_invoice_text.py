"""Invoices as text, as a QR code holds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.channels.errors import InvalidInvoiceError
from alatau.channels.invoice import DETAILS_BYTES_MAX, Invoice, SignedInvoice
from alatau.channels.messages import AMOUNT_MAX
from alatau.wallet.invoice_text import SCHEME, TEXT_MAX, invoice_text, read_invoice_text

invoices = st.builds(
    SignedInvoice,
    st.builds(
        Invoice,
        st.binary(min_size=20, max_size=20),
        st.binary(min_size=20, max_size=20),
        st.integers(1, AMOUNT_MAX),
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**40),
        st.integers(0, 2**40),
        st.binary(max_size=DETAILS_BYTES_MAX),
    ),
    st.binary(min_size=65, max_size=65),
)


@given(invoices)
def test_an_invoice_goes_through_its_text(signed: SignedInvoice) -> None:
    """Whatever is in it, and blanks around it do no harm; a QR code has room for it."""
    text = invoice_text(signed)
    assert read_invoice_text(f"  {text}\n") == signed
    assert len(text) < min(TEXT_MAX, 2_953), "bytes of the largest QR code"


@pytest.mark.parametrize("text", ["", "bitcoin:x", SCHEME + "?", SCHEME + "AAAA", SCHEME + "A" * TEXT_MAX, SCHEME])
def test_what_is_no_invoice_is_refused(text: str) -> None:
    """With what is wrong."""
    with pytest.raises(InvalidInvoiceError, match=r"no invoice|damaged"):
        read_invoice_text(text)
