"""The last word of a run: nothing personal was left in the clear anywhere (promise 4)."""

import prometheus_client
import pytest

from tests.plugins import canary, obligations


@pytest.mark.last
@pytest.mark.obligation("SE-08")
def test_no_personal_value_of_the_whole_run_was_found_in_a_database_log_or_metric(request: pytest.FixtureRequest) -> None:
    run = canary.of_this_run()
    canary.look("the process's metrics", prometheus_client.generate_latest())
    if obligations.is_partial(request.config):
        pytest.skip("only a run of the whole suite can be judged: this one was given paths or a selection")
    assert set(run.issued) >= {"phone", "name", "email"}, "the factories no longer take their values from canary.value"
    assert run.searched["an SQLite file"] > 0
    assert run.searched["a PostgreSQL table"] > 0
    assert run.searched["a test's log and output"] > 0
    assert run.found == []
