"""Codes that only an app can open."""

import pytest

from bot.links.share_codes import find_share_codes


@pytest.mark.parametrize(
    ("text", "code", "app"),
    [
        ("5.0 fu置这行话 ￥pZLk2EyTWQ0￥ 转移至淘宀", "￥pZLk2EyTWQ0￥", "Taobao"),
        ("【新茶】，復·制这段描述€VmT9bZ4ZcQz€后到淘♂寳", "€VmT9bZ4ZcQz€", "Taobao"),
        ("¥AB12cd34EF5¥", "¥AB12cd34EF5¥", "Taobao"),
        ("₤abcdEFGH123₤ 打开", "₤abcdEFGH123₤", "Taobao"),
        ("₳x1Y2z3A4b5C₳", "₳x1Y2z3A4b5C₳", "Taobao"),
        ("8.0 复制这条 (t7Yb2LmQ9aX) 打开淘宝", "(t7Yb2LmQ9aX)", "Taobao"),
        ("6.0 打开 /T7yb2LmQ9ax/ 【新茶】", "/T7yb2LmQ9ax/", "Taobao"),
        ("复制$T7yb2LmQ9ax$打开tao", "$T7yb2LmQ9ax$", "Taobao"),
        ("48:/！zB2XqsbTPN3KdgnP！ 去京东", "！zB2XqsbTPN3KdgnP！", "JD"),
        ("复制口令 !zB2XqsbTPN3K! 打开APP", "!zB2XqsbTPN3K!", "JD"),
        ("京口令：￥zB2XqsbTPN￥", "￥zB2XqsbTPN￥", "JD"),
    ],
)
def test_a_share_code_is_recognised_and_its_app_named(text: str, code: str, app: str) -> None:
    (found,) = find_share_codes(text)
    assert (found.text, found.app) == (code, app)
    assert text[found.start : found.end] == code
    assert code in found.sentence
    assert app in found.sentence
    assert "Nothing was charged" in found.sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It costs ￥19900000￥ or €1200€",
        "￥199 instead of ￥299",
        "复制这段话打开淘宝",
        "(international) !importantly! $variables$",
        "the function (t7Yb2LmQ9aX) is fine",
        "打开 https://a.com/T7yb2LmQ9ax/x 和 https://a.com/x/-/T7yb2LmQ9ax/ 看",
        "￥abcdefghijk￥",
        "￥T7yb2LmQ9ax€",
        "密码 T7yb2LmQ9ax",
    ],
)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert find_share_codes(text) == []


def test_a_long_text_of_half_codes_is_read_in_one_pass() -> None:
    assert find_share_codes("￥aB3dEf7h9J " * 50_000) == []
    assert len(find_share_codes("￥aB3dEf7h9J￥ " * 5_000)) == 5_000
