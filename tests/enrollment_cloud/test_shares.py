from contextlib import ExitStack

import pytest

from enrollment_cloud.enrollment.shares import CommunityShares
from tier_kit.forms.errors import Busy


def test_one_communitys_flood_leaves_another_its_share() -> None:
    shares = CommunityShares(each=2)
    with ExitStack() as under_way:
        for _ in range(2):
            under_way.enter_context(shares.take("flooded"))
        with pytest.raises(Busy, match="cloud-busy"), shares.take("flooded"):
            pass
        with shares.take("quiet"):
            pass
    with shares.take("flooded"):
        pass  # the flood is over


def test_communities_without_uploads_are_not_remembered() -> None:
    shares = CommunityShares(each=2)
    with shares.take("one"), shares.take("two"):
        assert len(shares._under_way) == 2
    assert not shares._under_way
