"""How faults are shared out to processes that play them side by side."""

from __future__ import annotations

import pytest

from tests.faults.crew import ALONE, Group, shared_out
from tests.faults.runner import ALL
from tests.faults.stage import Fault

FAULTS = [each for each in ALL if isinstance(each, Fault)]


@pytest.mark.parametrize("jobs", [1, 2, 3, 5])
def test_every_fault_is_played_once(jobs: int) -> None:
    together, alone = shared_out(FAULTS, jobs)
    played = [fault.id for group in [*together, *alone] for fault in group.faults]
    assert sorted(played) == [fault.id for fault in FAULTS]


def test_what_measures_the_server_has_no_neighbour() -> None:
    together, alone = shared_out(FAULTS, 3)
    assert {fault.id for group in alone for fault in group.faults} == ALONE
    assert len(alone) == 1
    assert len(together) == 3


def test_sites_take_about_as_long_as_each_other() -> None:
    together, _ = shared_out(FAULTS, 3)
    lengths = [group.seconds for group in together if not group.on_small_disks]
    assert max(lengths) < 1.5 * min(lengths)


def test_faults_of_small_disks_share_a_site_of_their_own() -> None:
    together, _ = shared_out(FAULTS, 3)
    small = [group for group in together if group.on_small_disks]
    assert [[fault.id for fault in group.faults] for group in small] == [
        [fault.id for fault in FAULTS if fault.on_small_disks]
    ]


def test_one_fault_alone_needs_one_site() -> None:
    together, alone = shared_out([fault for fault in FAULTS if fault.id == "FI-08"], 3)
    assert [group.name for group in together] == ["site 1"]
    assert alone == []
    assert isinstance(together[0], Group)
