"""What to say to one integration about one group, and why."""

from __future__ import annotations

import pytest

from alertd.model.alert import Alert, State
from alertd.model.notification import Withheld
from alertd.notify.decide import Standing, member

from .alerts import alert, ended
from .strategies import START


@pytest.mark.parametrize(
    ("item", "withheld", "standing"),
    [
        pytest.param(alert(), None, Standing.FIRING, id="firing"),
        pytest.param(alert(clearSince=START), None, Standing.FIRING, id="kept firing"),
        pytest.param(alert(), Withheld.SILENCED, Standing.SILENT, id="firing and held back"),
        pytest.param(alert(state=State.PENDING, startsAt=START), None, Standing.SILENT, id="demoted by a raised for"),
        pytest.param(ended(), None, Standing.ENDED, id="ended"),
        pytest.param(ended(state=State.PENDING), None, Standing.ENDED, id="ended, and pending again"),
        pytest.param(ended(state=State.BASELINE), None, Standing.ENDED, id="ended, and granted anew"),
        pytest.param(alert(state=State.PENDING, episode=0), None, Standing.QUIET, id="pending"),
        pytest.param(alert(state=State.BASELINE, episode=0), None, Standing.QUIET, id="baseline"),
    ],
)
def test_where_an_alert_stands(item: Alert, withheld: Withheld | None, standing: Standing) -> None:
    placed = member(item, withheld)

    assert (placed.alert, placed.standing, placed.withheld) == (item, standing, withheld)
