"""The key is made once, read by its owner alone, and never replaced."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.instance_key import InstanceKeyError, instance_key, key_file


def test_the_first_start_makes_a_key_that_stays(tmp_path: Path) -> None:
    first = instance_key(tmp_path)
    assert key_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert instance_key(tmp_path).public == first.public
    assert [path.name for path in tmp_path.iterdir()] == ["signing.key"]


def test_many_first_starts_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(instance_key, [tmp_path] * 16))
    assert len({key.public.text for key in keys}) == 1


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    instance_key(tmp_path)
    key_file(tmp_path).chmod(0o644)
    with pytest.raises(InstanceKeyError, match="chmod 600"):
        instance_key(tmp_path)


def test_a_file_that_is_no_key_is_one_sentence(tmp_path: Path) -> None:
    key_file(tmp_path).write_text("hello")
    key_file(tmp_path).chmod(0o600)
    with pytest.raises(InstanceKeyError, match="is no signing key"):
        instance_key(tmp_path)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InstanceKeyError, match="cannot be used: No such file"):
        instance_key(tmp_path / "none")
