"""Give each worker of pytest-xdist whole groups of tests."""

from xdist.scheduler import LoadScopeScheduling

from tests.helpers.shards import group


class GroupScheduling(LoadScopeScheduling):
    """Gives all tests of a group to the same worker of pytest-xdist."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
