"""A peer that cannot be had: skipped on a person's machine, a failure with CI=true."""

import os
from typing import NoReturn

import pytest

_MISSING = pytest.StashKey[dict[str, str]]()


def peer_is_missing(config: pytest.Config, name: str, reason: str) -> NoReturn:
    """Ends the test that asked for the peer, and remembers the peer for the last lines."""
    config.stash.setdefault(_MISSING, {})[name] = reason
    sentence = f"peer missing: {name}: {reason}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    missing = config.stash.get(_MISSING, {})
    if missing:
        terminalreporter.section("peers that were missing", yellow=True)
    for name, reason in sorted(missing.items()):
        terminalreporter.write_line(f"{name}: {reason}")
