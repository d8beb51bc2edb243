"""A search of a log of which something is in the archive only: it says so, it fails at nothing, and what comes back is found again."""

from service.archive.model import SEGMENT
from service.audit.findings import Verdict
from service.audit.index import store as index
from service.audit.index.terms import BLOCK
from service.inspection.model import Filter, Page, Status
from tests.factories import a_call
from tests.service.archive.conftest import Kept
from tests.service.archive.test_segments import OFFICER, archived, pruned, replayed


async def searched(kept: Kept, wanted: Filter) -> Page:
    found = await kept.running.operations.audit_entries(
        a_call("auditor"), wanted, member_id=None, first=10, after=str(SEGMENT - 10)
    )
    assert found is not None
    return found


async def test_what_was_pruned_is_named_by_its_segment_and_verified_with_its_words_when_it_is_back(kept: Kept) -> None:
    await archived(kept)
    here = await searched(kept, Filter(typ="access"))
    assert here.archived == () and len(here.lines) == 10
    assert {line.status for line in here.lines} == {Status.PROVEN}
    await pruned(kept)
    assert await index.indexed(kept.running.database.read) * BLOCK == SEGMENT, "made before the rows went"
    for wanted in (Filter(), Filter(typ="access"), Filter(request="r-1")):
        page = await searched(kept, wanted)
        assert [line for line in page.lines if line.index < SEGMENT] == []
    assert (await searched(kept, Filter(since=kept.clock()))).archived == (), "nothing of that time is in the archive"
    told = (await searched(kept, Filter(typ="access"))).archived
    assert [(one.first, one.last) for one in told] == [(0, 0)]
    assert (await replayed(kept)).verdict is Verdict.OK
    await kept.running.operations.restore_segment(OFFICER, kept.house, 0)
    assert (await replayed(kept)).verdict is Verdict.OK
    again = await searched(kept, Filter(typ="access"))
    assert (again.lines, again.archived) == (here.lines, ())
