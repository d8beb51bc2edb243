"""Nothing is skipped silently: the end of a run lists every test that did not run, and why."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Group the skipped tests by their reason."""
    reasons: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    if not reasons:
        return
    terminalreporter.section("skipped, and why")
    for reason, nodes in sorted(reasons.items()):
        terminalreporter.line(f"{reason} ({len(nodes)})")
        for node in nodes:
            terminalreporter.line(f"    {node}")
