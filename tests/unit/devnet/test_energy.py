"""Energy: the processor's meters where they may be read, else processor time at a stated power."""

from pathlib import Path

import pytest

from alatau_devnet.energy import energy, rapl_joules


def test_processor_time_counts_where_no_meter_can_be_read() -> None:
    """2 s at 15 W for 1,000 payments are 30 mJ each: 8.33 Wh for a million."""
    taken = energy(1_000, 2.0, None, None, watts_per_core=15.0)
    assert (taken.joules_per_payment, taken.wh_per_million_payments, taken.source) == (0.03, 8.33, "cpu")


def test_meters_go_before_processor_time() -> None:
    """What the package took is what is said, whatever the processor time was."""
    taken = energy(1_000, 2.0, 100.0, 172.0)
    assert (taken.joules_per_payment, taken.wh_per_million_payments, taken.source) == (0.072, 20.0, "rapl")


def test_a_meter_that_wrapped_does_not_count() -> None:
    """RAPL's counters begin again at 0 after some minutes."""
    assert energy(1_000, 2.0, 100.0, 3.0).source == "cpu"


def test_packages_are_added_and_their_parts_are_not(tmp_path: Path) -> None:
    """Cores and memory are zones of their own inside a package."""
    for zone, name, microjoules in (
        ("intel-rapl:0", "package-0", 5_000_000),
        ("intel-rapl:1", "package-1", 2_500_000),
        ("intel-rapl:0:0", "core", 4_000_000),
    ):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "name").write_text(f"{name}\n")
        (tmp_path / zone / "energy_uj").write_text(f"{microjoules}\n")
    assert rapl_joules(tmp_path) == pytest.approx(7.5)


def test_a_machine_without_meters_says_none(tmp_path: Path) -> None:
    """Most virtual machines have none."""
    assert rapl_joules(tmp_path) is None
