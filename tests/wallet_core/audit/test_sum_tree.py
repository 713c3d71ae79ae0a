"""Every leaf leads to the root; nothing that differs in any way does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet_core.audit.signing import NotProven
from wallet_core.audit.sum_tree import Node, joined, leaf, levels_of, root_of, siblings

SALT = b"s" * 32
amounts = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


def grown(values: list[int]) -> list[list[Node]]:
    return levels_of([leaf(f"person:{n}", value, SALT) for n, value in enumerate(values)])


def path_of(levels: list[list[Node]], position: int) -> list[Node]:
    return [levels[level][n] for level, n in siblings(position, len(levels[0]))]


@given(amounts)
def test_the_root_states_the_sum_of_all_leaves(values: list[int]) -> None:
    assert grown(values)[-1][0].sum_minor == sum(values)


@given(amounts)
def test_every_leaf_leads_to_the_root(values: list[int]) -> None:
    levels = grown(values)
    for position, start in enumerate(levels[0]):
        path = path_of(levels, position)
        assert root_of(start, position, len(values), path) == levels[-1][0]


@given(amounts, st.data())
def test_one_minor_unit_anywhere_changes_the_root(values: list[int], data: st.DataObject) -> None:
    changed = data.draw(st.integers(0, len(values) - 1))
    by = data.draw(st.sampled_from([1, -1] if values[changed] else [1]))
    others = [v + by if n == changed else v for n, v in enumerate(values)]
    before, after = grown(values), grown(others)
    assert before[-1][0].digest != after[-1][0].digest
    for position, start in enumerate(before[0]):
        path = path_of(before, position)
        assert root_of(start, position, len(values), path) != after[-1][0]
        if position != changed:
            # Everybody else's old path leads nowhere either.
            assert root_of(after[0][position], position, len(values), path) != after[-1][0]


@given(amounts, st.data())
def test_no_step_of_a_path_can_be_changed(values: list[int], data: st.DataObject) -> None:
    levels = grown(values)
    position = data.draw(st.integers(0, len(values) - 1))
    path = path_of(levels, position)
    if not path:
        return
    step = data.draw(st.integers(0, len(path) - 1))
    path[step] = Node(path[step].digest, path[step].sum_minor + 1)
    assert root_of(levels[0][position], position, len(values), path) != levels[-1][0]


@given(amounts, st.data())
def test_a_leaf_proves_its_own_place_only(values: list[int], data: st.DataObject) -> None:
    levels = grown(values)
    place, other = (data.draw(st.integers(0, len(values) - 1)) for _ in range(2))
    if place == other:
        return
    try:
        root = root_of(levels[0][place], other, len(values), path_of(levels, place))
    except NotProven:
        return
    assert root != levels[-1][0]


def test_understating_a_sum_while_keeping_the_total_of_a_node_changes_it() -> None:
    left, right = leaf("a", 10, SALT), leaf("b", 5, SALT)
    shifted = joined(Node(left.digest, 9), Node(right.digest, 6))
    assert shifted.sum_minor == joined(left, right).sum_minor
    assert shifted.digest != joined(left, right).digest


@pytest.mark.parametrize("amount_minor", [-1, 2**63])
def test_sums_that_cannot_be_are_refused(amount_minor: int) -> None:
    with pytest.raises(NotProven):
        leaf("a", amount_minor, SALT)
    with pytest.raises(NotProven):
        joined(leaf("a", 1, SALT), Node(b"d" * 32, amount_minor))
    with pytest.raises(NotProven):
        joined(Node(b"d" * 32, 2**62), Node(b"d" * 32, 2**62))


@pytest.mark.parametrize(("position", "count"), [(-1, 4), (4, 4), (0, 0)])
def test_places_that_are_not_there_are_refused(position: int, count: int) -> None:
    with pytest.raises(NotProven):
        siblings(position, count)


def test_a_path_of_another_length_is_refused() -> None:
    levels = grown([1, 2, 3, 4])
    with pytest.raises(NotProven, match="1 steps instead of 2"):
        root_of(levels[0][0], 0, 4, path_of(levels, 0)[:1])


def test_no_leaves_make_no_tree() -> None:
    assert levels_of([]) == []
