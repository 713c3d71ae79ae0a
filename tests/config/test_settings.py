import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.by_currency import CurrencyFees
from config.keys import tables
from config.settings import ConfigError, Settings, load, render

HOME = {"HOME": "/home/ann"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def refusal(environ: dict[str, str] | None = None, toml: str | None = None) -> str:
    path = None if toml is None else written(Path("given.toml"), toml)
    with pytest.raises(ConfigError) as caught:
        load(path, HOME | (environ or {}))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_without_anything_the_defaults_hold() -> None:
    settings = load(None, HOME)
    assert settings.web.origin() == "http://127.0.0.1:8080"
    assert settings.database.url is None
    assert settings.money.undo_window_s == 8
    assert not settings.matrix.enabled
    assert settings.origins == {}


def test_the_data_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert load(None, HOME).data_dir == Path("/home/ann/.local/share/payontap")
    assert load(None, HOME | {"XDG_DATA_HOME": "/srv"}).data_dir == Path("/srv/payontap")
    relative = load(None, HOME | {"XDG_DATA_HOME": "srv"})
    assert relative.data_dir == Path("/home/ann/.local/share/payontap")
    monkeypatch.setattr("sys.platform", "darwin")
    mac = load(None, HOME).data_dir
    assert mac == Path("/home/ann/Library/Application Support/payontap")


def test_the_data_folder_is_absolute_whatever_was_written(tmp_path: Path) -> None:
    assert load(None, {"PAYONTAP_DATA_DIR": "here"}).data_dir == tmp_path / "here"
    assert load(None, HOME | {"PAYONTAP_DATA_DIR": "~/x"}).data_dir == Path("/home/ann/x")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default() -> None:
    path = written(Path("a.toml"), "[web]\nport = 9000\nhost = '::1'\n")
    settings = load(path, HOME | {"PAYONTAP_WEB__PORT": "9001"})
    assert settings.web.port == 9001
    assert settings.web.host == "::1"
    assert settings.web.origin(77) == "http://[::1]:77"
    assert settings.origins == {
        "web.port": "environment, PAYONTAP_WEB__PORT",
        "web.host": "a.toml",
    }


def test_the_file_is_found_by_option_then_variable_then_in_this_folder() -> None:
    option = written(Path("option.toml"), "currency = 'EUR'")
    written(Path("variable.toml"), "currency = 'JPY'")
    environ = HOME | {"PAYONTAP_CONFIG": "variable.toml"}
    assert load(None, HOME).currency == "CNY"
    written(Path("payontap.toml"), "currency = 'USD'")
    assert load(None, HOME).currency == "USD"
    assert load(None, environ).currency == "JPY"
    assert load(option, environ).currency == "EUR"


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(None, HOME | {"PAYONTAP_WEB__PORT": ""}).web.port == 8080


def test_settings_never_change_once_read() -> None:
    settings = load(None, HOME)
    with pytest.raises(ValidationError):
        settings.web.port = 1


def test_what_is_no_number_is_refused_in_words_for_people() -> None:
    said = refusal({"PAYONTAP_WEB__PORT": "abc"})
    assert said == (
        "PAYONTAP_WEB__PORT cannot be used: it should be a valid integer (it is 'abc')."
    )


@pytest.mark.parametrize(
    ("toml", "wrong", "near"),
    [
        ("[web]\nprot = 1", "web.prot", "web.port"),
        ("[webb]\nport = 1", "webb", "web"),
        ("curency = 'CNY'", "curency", "currency"),
        ("[matrix]\npasswrd_file = 'x'", "matrix.passwrd_file", "matrix.password_file"),
        ("[web]\nport_file = 'x'", "web.port_file", "web.port"),
    ],
)
def test_an_unknown_key_in_the_file_names_the_nearest(toml: str, wrong: str, near: str) -> None:
    assert refusal(toml=toml) == (
        f"There is no setting {wrong} (given.toml); the nearest is {near}."
    )


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("PAYONTAP_WEB_PORT", "PAYONTAP_WEB__PORT"),
        ("PAYONTAP_DATADIR", "PAYONTAP_DATA_DIR"),
        ("PAYONTAP_MATRIX__PASSWORT_FILE", "PAYONTAP_MATRIX__PASSWORD_FILE"),
    ],
)
def test_an_unknown_variable_names_the_nearest(variable: str, near: str) -> None:
    assert refusal({variable: "1"}) == (
        f"There is no setting {variable} (environment); the nearest is {near}."
    )


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ("[web]\nport = 70000", "web.port (given.toml)"),
        ("[web]\nport = true", "not true or false"),
        ("[web]\nport = 'many'", "'many'"),
        ("web = 5", "write [web]"),
        ("currency = 'yuan'", "ISO 4217"),
        ("[redis]\nurl = 'http://x'", "redis://"),
        ("[database]\nurl = 'mysql://x'", "postgresql://"),
        ("[web]\npublic_url = 'pay.example.org'", "https://pay.example.org"),
        ("[web]\npublic_url = 'https://pay.example.org/shop'", "site only"),
        ("[fetch]\nallowed_origins = ['127.0.0.1']", "a host and a port"),
        ('[fetch]\ncontact = "a\\r\\nHost: b"', "header"),
        ("[log]\nlevel = 'loud'", "'loud'"),
        ("[checkpoints]\nkeep_hourly_days = 7", "cannot be less than keep_all_days"),
        ("data_dir = ''", "data_dir"),
        ("data_dir = 5", "data_dir"),
        ("x = [", "not valid TOML"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(toml: str, part: str) -> None:
    assert part in refusal(toml=toml)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"The config file no\.toml cannot be read"):
        load(Path("no.toml"), HOME)


def test_a_wrong_variable_is_named_as_it_was_written() -> None:
    assert refusal({"PAYONTAP_MONEY__UNDO_WINDOW_S": "-1"}).startswith(
        "PAYONTAP_MONEY__UNDO_WINDOW_S cannot be used"
    )


@pytest.mark.parametrize(
    "text", ["127.0.0.1:9000, shop.test:81", '["127.0.0.1:9000", "shop.test:81"]']
)
def test_a_list_in_a_variable_is_json_or_parted_by_commas(text: str) -> None:
    settings = load(None, HOME | {"PAYONTAP_FETCH__ALLOWED_ORIGINS": text})
    assert settings.fetch.allowed_origins == ("127.0.0.1:9000", "shop.test:81")


def test_an_ipv6_origin_in_a_variable_is_no_json() -> None:
    settings = load(None, HOME | {"PAYONTAP_FETCH__ALLOWED_ORIGINS": "[::1]:9000"})
    assert settings.fetch.allowed_origins == ("[::1]:9000",)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_a_postgresql_url_gets_the_driver_that_is_installed(scheme: str) -> None:
    settings = load(None, HOME | {"PAYONTAP_DATABASE__URL": f"{scheme}://u:p@h/n"})
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == "postgresql+asyncpg://u:p@h/n"


def test_a_secret_can_come_from_a_file_beside_the_config(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    written(folder / "secret", "s3cret\n")
    path = written(folder / "p.toml", "[matrix]\npassword_file = 'secret'")
    settings = load(path, HOME)
    assert settings.matrix.password is not None
    assert settings.matrix.password.get_secret_value() == "s3cret"
    assert settings.origins["matrix.password"] == f"secret file {folder / 'secret'}"


def test_a_secret_file_in_the_environment_wins_over_a_secret_in_the_config_file() -> None:
    written(Path("secret"), "from the file")
    path = written(Path("p.toml"), "[matrix]\npassword = 'in the toml'")
    settings = load(path, HOME | {"PAYONTAP_MATRIX__PASSWORD_FILE": "secret"})
    assert settings.matrix.password is not None
    assert settings.matrix.password.get_secret_value() == "from the file"


def test_a_secret_given_twice_in_one_place_is_refused() -> None:
    sentence = refusal(toml="[matrix]\npassword = 'a'\npassword_file = 'b'")
    assert "either itself or as a file" in sentence


def test_a_secret_file_that_is_empty_or_missing_is_named() -> None:
    written(Path("empty"), "\n")
    assert "is empty" in refusal({"PAYONTAP_REDIS__URL_FILE": "empty"})
    assert "cannot be read" in refusal({"PAYONTAP_REDIS__URL_FILE": "missing"})


def test_matrix_needs_a_user_and_a_way_to_log_in() -> None:
    server = {"PAYONTAP_MATRIX__HOMESERVER": "https://m.example.org"}
    user = {"PAYONTAP_MATRIX__USER": "@bot:example.org"}
    assert refusal(server) == "matrix.homeserver is set, so matrix.user is needed too."
    assert "matrix.password or matrix.access_token" in refusal(server | user)
    settings = load(None, HOME | server | user | {"PAYONTAP_MATRIX__ACCESS_TOKEN": "t"})
    assert settings.matrix.enabled


def test_no_secret_is_shown_anywhere() -> None:
    environ = HOME | {
        "PAYONTAP_MATRIX__PASSWORD": "hunter2",
        "PAYONTAP_REDIS__URL": "redis://ann:hunter2@cache:6379/0?password=hunter2",
        "PAYONTAP_DATABASE__URL": "postgresql://ann:hunter2@db/pay",
    }
    settings = load(None, environ)
    assert "hunter2" not in render(settings)
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in refusal(environ | {"PAYONTAP_DATABASE__URL": "mysql://hunter2@db"})
    assert "redis://ann:********@cache:6379/0?********" in render(settings)


def test_what_is_printed_is_toml_with_the_origin_of_each_value() -> None:
    path = written(Path("a.toml"), "currency = 'EUR'\n[fetch]\nallowed_origins = ['a:1']\n")
    text = render(load(path, HOME | {"PAYONTAP_WEB__PORT": "9001"}))
    assert "port = 9001  # environment, PAYONTAP_WEB__PORT" in text
    assert 'currency = "EUR"  # a.toml' in text
    assert "undo_window_s = 8  # default" in text
    assert "# public_url is not set  # default" in text
    parsed = tomllib.loads(text)
    assert parsed["fetch"] == {"timeout_s": 5, "allowed_origins": ["a:1"]}
    again = load(written(Path("again.toml"), text), HOME)
    assert again.model_dump() == load(path, HOME | {"PAYONTAP_WEB__PORT": "9001"}).model_dump()


def test_the_annotated_file_is_valid_and_changes_nothing() -> None:
    assert load(annotated(), HOME) == load(None, HOME)


def annotated() -> Path:
    return Path(load.__code__.co_filename).parent / "payontap.toml"


def uncommented() -> tuple[str, list[str]]:
    """The annotated file with its defaults switched on, and the keys that have none."""
    lines: list[str] = []
    without_value: list[str] = []
    section = ""
    for line in annotated().read_text(encoding="utf-8").splitlines():
        bare = line.removeprefix("# ")
        name, equals, value = bare.partition(" =")
        if line.startswith("["):
            section = line.strip("[]") + "."
            lines.append(line)
        elif line.startswith("# ") and equals and name.isidentifier():
            if value.strip():
                lines.append(bare)
            else:
                without_value.append(section + name)
    return "\n".join(lines), without_value


def test_the_annotated_file_shows_each_key_with_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    toml, without_value = uncommented()
    settings = load(written(Path("all.toml"), toml), HOME)
    assert settings.model_dump() == load(None, HOME).model_dump()
    shown = {*settings.origins, *without_value}
    assert shown == set(leaves(Settings))
    assert len(settings.origins) + len(without_value) == len(shown)


def leaves(kind: type[Settings]) -> list[str]:
    names: list[str] = []
    for name, field in kind.model_fields.items():
        if name in tables():
            continue
        inner = getattr(field.annotation, "model_fields", None)
        names += [name] if inner is None else [f"{name}.{leaf}" for leaf in inner]
    return names


def test_each_microblog_needs_what_it_logs_in_with() -> None:
    server = {"PAYONTAP_MASTODON__SERVER": "https://fedi.example/"}
    assert "mastodon.access_token" in refusal(server)
    assert load(None, HOME | server | {"PAYONTAP_MASTODON__ACCESS_TOKEN": "t"}).mastodon.enabled
    handle = {"PAYONTAP_BLUESKY__HANDLE": "bot.example"}
    assert "bluesky.app_password" in refusal(handle)
    assert load(None, HOME | handle | {"PAYONTAP_BLUESKY__APP_PASSWORD": "p"}).bluesky.enabled
    secret = {"PAYONTAP_WEIBO__APP_SECRET": "s"}
    token = {"PAYONTAP_WEIBO__ACCESS_TOKEN": "t"}
    assert "weibo.access_token" in refusal(secret)
    assert "weibo.account_id" in refusal(secret | token)
    account = {"PAYONTAP_WEIBO__ACCOUNT_ID": "1902538057"}
    assert load(None, HOME | secret | token | account).weibo.enabled
    assert refusal(secret | token | {"PAYONTAP_WEIBO__ACCOUNT_ID": "me"})


def test_telegram_needs_a_token_of_its_make_and_https_for_its_webhook() -> None:
    assert not load(None, HOME).telegram.enabled
    token = {"PAYONTAP_TELEGRAM__TOKEN": "123:AAE_x-y"}
    assert load(None, HOME | token).telegram.enabled
    assert not load(None, HOME | token).telegram.collects
    wrong = refusal({"PAYONTAP_TELEGRAM__TOKEN": "secret without a colon"})
    assert "@BotFather" in wrong
    assert "secret" not in wrong
    webhook = token | {"PAYONTAP_TELEGRAM__WEBHOOK": "true"}
    assert "web.public_url must be the https address" in refusal(webhook)
    public = webhook | {"PAYONTAP_WEB__PUBLIC_URL": "https://pay.example.org"}
    assert load(None, HOME | public).telegram.webhook
    stars = token | {"PAYONTAP_TELEGRAM__STARS_PER_UNIT": "11"}
    assert load(None, HOME | stars).telegram.collects


# --- tables: settings that stand once for each currency -------------------------------------------

HOUSE = """
[currencies.KUDOS]
exponent = 0
name = "kudos"

[limits.CNY]
day_max = 200
payee_day_max = "12.50"

[fees.CNY]
percent = "1.5"

[rates.USD_CNY]
rate = "7.1023"
as_of = 2026-11-25
"""


def test_settings_by_currency_are_read_from_the_file_and_the_environment() -> None:
    path = written(Path("house.toml"), HOUSE)
    environ = HOME | {
        "PAYONTAP_LIMITS__CNY__DAY_MAX": "300",
        "PAYONTAP_LIMITS__JPY__DAY_MAX": "5000",
        "PAYONTAP_RATES__USD_CNY__RATE": "7.2",
    }
    settings = load(path, environ)
    assert settings.currencies["KUDOS"].name == "kudos"
    assert settings.limits["CNY"].day_max == "300"
    assert settings.limits["CNY"].payee_day_max == "12.50"
    assert settings.limits["CNY"].month_max is None
    assert settings.limits["JPY"].day_max == "5000"
    assert str(settings.fees["CNY"].percent) == "1.5"
    assert str(settings.rates["USD_CNY"].rate) == "7.2"
    assert settings.rates["USD_CNY"].as_of.year == 2026


def test_settings_by_currency_are_printed_so_that_they_can_be_read_again() -> None:
    settings = load(written(Path("house.toml"), HOUSE), HOME)
    printed = render(settings)
    again = load(written(Path("again.toml"), printed), HOME)
    assert again.limits == settings.limits
    assert again.rates == settings.rates
    assert again.fees == settings.fees
    assert again.currencies == settings.currencies
    assert 'day_max = "200"  # house.toml' in printed


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[limits.CNY]\nday_max = 12.5", "must stand in quotes"),
        ("[limits.CNY]\nday_max = '1e3'", "must be an amount"),
        ("[limits.CNY]\nday_max = -5", "must be an amount"),
        ("[limits.CNY]\nday_maxi = 5", "limits.CNY.day_max"),
        ("[limits.yuan]\nday_max = 5", "no currency's code"),
        ("[limits]\nday_max = 5", "write [limits.day_max]"),
        ("limits = 5", "write [limits.CNY]"),
        ("[fees.CNY]\npercent = 101", "from 0 to 100"),
        ("[fees.CNY]\npercent = '0.00001'", "at most 4 decimals"),
        ("[fees.CNY]\npercent = 'NaN'", "must be a number"),
        ("[rates.USD_CNY]\nrate = 0\nas_of = 2026-11-25", "more than zero"),
        ("[rates.USDCNY]\nrate = 7\nas_of = 2026-11-25", "no pair of currencies"),
        ("[rates.USD_CNY]\nrate = 7", "rates.USD_CNY.as_of"),
        ("[currencies.KUDOS]\nexponent = 5\nname = 'x'", "less than or equal to 4"),
    ],
)
def test_what_cannot_be_used_by_currency_is_refused_in_one_sentence(toml: str, says: str) -> None:
    assert says in refusal(toml=toml)


def test_the_examples_by_currency_in_the_annotated_file_can_be_used() -> None:
    lines = annotated().read_text(encoding="utf-8").partition("# --- once")[2].splitlines()
    examples = [line.removeprefix("# ") for line in lines if line.startswith(("# [", "#   "))]
    settings = load(written(Path("examples.toml"), "\n".join(examples)), HOME)
    assert all(getattr(settings, table) for table in tables())
    assert settings.fees["CNY"] == CurrencyFees()


@pytest.mark.parametrize("network", ["mastodon", "bluesky"])
def test_a_server_next_door_may_be_asked_several_times_a_second_and_none_without_a_pause(
    network: str,
) -> None:
    name = f"PAYONTAP_{network.upper()}__POLL_S"
    assert getattr(load(None, {name: "0.2"}), network).poll_s == 0.2
    with pytest.raises(ConfigError, match=r"POLL_S|poll_s"):
        load(None, {name: "0"})
