"""What a good configuration becomes: defaults, paths, merged tenants, references filled in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest

from alertd.config import Config, Heartbeat, Http, Listen, Log, Route, Secrets, load_config, parse_config
from alertd.config.route import ChildRoute
from alertd.config.route_tree import route_tree
from alertd.errors import ConfigError
from alertd.graph.credentials import (
    AccessTokenFile,
    Certificate,
    ClientSecret,
    Credential,
    ManagedIdentity,
    WorkloadIdentity,
)
from alertd.model.secret import Secret
from alertd.notify import inhibition
from alertd.notify.channels.settings import (
    EmailSettings,
    EntraAuth,
    MailPreset,
    SmtpSettings,
    TeamsSettings,
    Tls,
    WebhookFormat,
    WebhookSettings,
)
from alertd.notify.intervals import DaysOfMonth, Numbers, TimeInterval, TimesOfDay
from alertd.notify.matchers import Matcher, Operator
from alertd.notify.reminders import Backoff

_GOOD = Path(__file__).parent / "good"
_WHOLE = _GOOD / "whole"
_TEAMS_URL = "https://default0.ab.environment.api.powerplatform.com:443/x?sp=%2Ftriggers%2F&sig=a%2Bb%3D"
_ENVIRONMENT = {"CONTOSO_SECRET": "hunter2", "TEAMS_URL": _TEAMS_URL, "ROUTING_KEY": "0123456789abcdef" * 2}


@pytest.fixture(scope="module")
def whole() -> Config:
    """The file in which every key has another value than its default."""
    return load_config(_WHOLE / "alertd.yaml", environment=_ENVIRONMENT)


@pytest.fixture
def least() -> Config:
    return load_config(_GOOD / "least.yaml", environment={})


def test_defaults_are_those_of_the_contract(least: Config) -> None:
    seconds = {
        "interval": least.poll.interval,
        "timeout": least.poll.timeout,
        "discovery_interval": least.poll.discovery_interval,
        "retain": least.history.retain,
        "group_wait": least.route.group_wait,
        "group_interval": least.route.group_interval,
        "repeat_interval": least.route.repeat_interval,
        "retry_for": least.delivery.retry_for,
    }

    assert {name: value.total_seconds() for name, value in seconds.items()} == {
        "interval": 300,
        "timeout": 30,
        "discovery_interval": 6 * 3600,
        "retain": 30 * 86_400,
        "group_wait": 30,
        "group_interval": 300,
        "repeat_interval": 86_400,
        "retry_for": 86_400,
    }
    assert (least.poll.concurrency, least.poll.first_sight, least.history.max_size) == (6, "alert", 5 * 10**9)
    assert least.store.path == _GOOD.absolute() / "alertd.db"
    assert least.rules == ("builtin",)
    assert least.inhibit_rules == inhibition.BUILTIN
    assert least.route.group_by == ("tenant", "alertname")
    assert least.web is not None
    assert str(least.web.listen) == "127.0.0.1:9095"
    assert (least.timezone.key, least.log, least.http, least.heartbeat) == ("UTC", Log(), Http(), None)
    assert least.warnings == ()


def test_every_section_of_the_whole_file_differs_from_its_default(whole: Config, least: Config) -> None:
    """So that the other tests of this file cannot pass by accident, and no key is read and dropped."""
    later = {"engine", "warnings"}

    same = {
        attribute.name
        for attribute in attrs.fields(Config)
        if getattr(whole, attribute.name) == getattr(least, attribute.name)
    }

    assert same <= later


def test_paths_are_relative_to_the_file_that_names_them(whole: Config) -> None:
    root = _WHOLE.absolute()

    credentials = {tenant.name: tenant.settings.credential for tenant in whole.tenants}
    assert whole.store.path == root / "data" / "alertd.db"
    assert whole.rules == ("builtin", root / "rules" / "own.yaml")
    assert whole.templates == root / "templates"
    assert credentials["northwind"] == AccessTokenFile(path=root / "tenants" / "token")
    assert credentials["fabrikam"] == Certificate(
        path=root / "app.pem", password=Secret.from_file(root / "app-password")
    )


def test_tenant_defaults_fill_gaps_and_labels_are_joined(whole: Config) -> None:
    contoso, fabrikam, northwind, adventure, tailspin = whole.tenants

    assert contoso.settings.client_id == "33333333-3333-3333-3333-333333333333"
    assert contoso.labels == {"team": "identity", "region": "emea"}
    assert contoso.settings.credential == ClientSecret(secret=Secret("hunter2"))
    assert (contoso.settings.include, contoso.settings.exclude) == (("Workday*",), ("*test*",))
    assert (contoso.settings.graph_url, contoso.settings.cloud) == ("https://graph.contoso.example/prefix", "usgov")
    assert contoso.key == "usgov/11111111-1111-1111-1111-11111111111a"
    assert fabrikam.settings.client_id == "22222222-2222-2222-2222-222222222222"
    assert fabrikam.labels == {"team": "identity", "region": "world"}
    assert northwind.settings.tenant_id == adventure.settings.tenant_id, "one id in two clouds is two tenants"
    assert adventure.settings.credential == ManagedIdentity()
    assert tailspin.settings.credential == WorkloadIdentity(token_file=Path("/var/run/token"))


def test_receivers(whole: Config) -> None:
    oncall, managers = whole.receivers
    first, second = oncall.teams
    smtp, graph, resend, token, acs = oncall.email

    assert first == TeamsSettings(url=Secret(_TEAMS_URL))
    assert first.url.reveal() == _TEAMS_URL, "a Workflows URL is used as it is"
    assert second.auth == EntraAuth(tenant="contoso", cloud="usgov"), "the cloud is that of the tenant"
    assert (second.name, second.send_resolved) == ("second", False)
    assert smtp == EmailSettings(
        to=("oncall@example.com", "On Call <second@example.com>"),
        from_address="alertd@example.com",
        smtp=SmtpSettings(
            host="mail.example.com",
            port=2525,
            tls=Tls.IMPLICIT,
            username="u",
            password=Secret.from_file(_WHOLE.absolute() / "smtp-password"),
        ),
    )
    assert graph.graph is not None
    assert graph.graph.cloud == "usgov"
    assert resend.http is not None
    assert token.smtp is not None
    assert token.smtp.auth == EntraAuth(tenant="contoso", cloud="usgov")
    assert acs.http is not None
    assert acs.http.preset is MailPreset.ACS
    assert oncall.webhook[1].format is WebhookFormat.ALERTMANAGER
    assert managers.webhook == (WebhookSettings(url=Secret("http://intranet/hook"), allow_http=True),)


def test_route_rules_and_the_rest(whole: Config) -> None:
    (override,) = whole.overrides

    assert whole.route == Route(
        receiver="oncall",
        group_by=("tenant",),
        group_wait=timedelta(0),
        group_interval=timedelta(minutes=1),
        repeat_interval=timedelta(hours=4),
        repeat_backoff=Backoff(factor=1.5, longest=timedelta(days=2)),
        repeat_after_attempt=True,
        children=(
            ChildRoute(
                matchers=(Matcher("severity", Operator.EQUAL, "critical"),),
                continues=True,
                repeat_interval=timedelta(hours=1),
                repeat_backoff=Backoff(factor=1),
                repeat_after_attempt=False,
                children=(
                    ChildRoute(
                        matchers=(Matcher("tenant", Operator.MATCHES, "f.*"),),
                        receiver="managers",
                        group_by=("...",),
                        group_wait=timedelta(seconds=10),
                    ),
                ),
            ),
            ChildRoute(
                receiver="managers",
                group_interval=timedelta(minutes=2),
                mute_time_intervals=("nights",),
                active_time_intervals=("work", "nights"),
                mute_summary=True,
            ),
        ),
    )
    assert whole.inhibit_rules[: len(inhibition.BUILTIN)] == inhibition.BUILTIN
    assert len(whole.inhibit_rules) == len(inhibition.BUILTIN) + 1
    assert [str(matcher) for matcher in override.matchers] == ['service_principal=~"Workday.*"', 'severity="error"']
    assert (override.params, override.hold_duration) == (
        {"threshold": 5, "word": "5", "on": True},
        timedelta(minutes=10),
    )
    assert whole.web is not None
    assert whole.web.listen == Listen("::1", 0)
    assert whole.external_url == "http://alertd.example.com"
    assert whole.heartbeat == Heartbeat(
        url=Secret.from_file(_WHOLE.absolute() / "heartbeat-url"), interval=timedelta(seconds=30)
    )


def test_time_intervals(whole: Config) -> None:
    nights, work = whole.time_intervals
    evening, holidays = nights.time_intervals

    assert evening == TimeInterval(
        times=(TimesOfDay(start_time=22 * 60, end_time=6 * 60), TimesOfDay(start_time=12 * 60, end_time=24 * 60)),
        location=ZoneInfo("Europe/Berlin"),
    )
    assert holidays == TimeInterval(
        months=(Numbers(12, 1), Numbers(7, 7), Numbers(8, 9)),
        days_of_month=(DaysOfMonth(24, 24), DaysOfMonth(-3, -1)),
        years=(Numbers(2026, 2026), Numbers(2028, 2030)),
    )
    assert work.time_intervals == (TimeInterval(weekdays=(Numbers(1, 5), Numbers(7, 7))),)


def test_routes_know_their_time_intervals(whole: Config) -> None:
    *_, last = route_tree(whole.route, whole.time_intervals).every()

    assert [named.name for named in last.mute] == ["nights"]
    assert [named.name for named in last.active] == ["work", "nights"]


def _small(text: str = "", **environment: str) -> Config:
    base = "receivers: [{name: a, webhook: [{url: 'https://x.example/h'}]}]\nroute: {receiver: a}\n"
    return parse_config(base + text, directory=Path.cwd(), environment=environment)


def test_web_null_means_no_pages() -> None:
    assert _small("web: null").web is None
    assert _small("web: {}").web is not None


def test_anchors_and_merge_keys_work() -> None:
    config = _small(
        "tenants:\n"
        "  - &first {name: one, tenant_id: one.example, client_id: 22222222-2222-2222-2222-222222222222, "
        "credential: {client_secret: s}}\n"
        "  - {<<: *first, name: two, tenant_id: two.example}\n"
    )

    assert [tenant.name for tenant in config.tenants] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("${A}", "1", id="a variable"),
        pytest.param("x-${A}-${B}", "x-1-two words: \"and\" 'quotes' # {", id="YAML's signs in a value mean nothing"),
        pytest.param("$${A}", "${A}", id="a literal"),
        pytest.param("$A $$A $ {A}", "$A $$A $ {A}", id="any other dollar is itself"),
        pytest.param("${C}", "${A}", id="a value is not filled again"),
    ],
)
def test_variables_fill_parsed_texts(text: str, expected: str) -> None:
    config = _small(
        f"overrides: [{{alert: A, params: {{x: '{text}'}}}}]", A="1", B="two words: \"and\" 'quotes' # {", C="${A}"
    )

    assert str(config.overrides[0].params["x"]) == expected


def test_a_variable_may_hold_a_duration_or_a_number() -> None:
    config = _small("poll: {interval: '${I}', concurrency: '${N}'}", I="7m", N="3")

    assert (config.poll.interval, config.poll.concurrency) == (timedelta(minutes=7), 3)


def test_secret_files_are_not_touched_before_they_are_used(whole: Config) -> None:
    assert whole.receivers[0].teams[1].url.path == _WHOLE.absolute() / "teams-url"


def test_secret_files_are_read_when_asked_for() -> None:
    """`alertd check` opens every one, so that a missing file is known before the first message."""
    with pytest.raises(ConfigError) as caught:
        load_config(_WHOLE / "alertd.yaml", environment=_ENVIRONMENT, secrets=Secrets.READ)

    missing = {problem.path.rpartition(".")[2] for problem in caught.value.problems if not problem.warning}
    assert missing == {
        "path", "password_file", "url_file", "api_key_file", "signing_secret_file", "routing_key_file", "proxy_file",
        "access_token_file", "token_file",
    }  # fmt: skip


def test_the_url_in_a_secret_file_is_checked(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://contoso.webhook.office.com/webhookb2/hunter2\n", encoding="utf-8")
    text = "receivers: [{name: a, teams: [{url_file: url}]}]\nroute: {receiver: a}\n"

    with pytest.raises(ConfigError, match="retired Office 365 connectors") as caught:
        parse_config(text, directory=tmp_path, secrets=Secrets.READ)

    assert "hunter2" not in str(caught.value)


def test_without_secrets_unset_variables_and_missing_files_are_fine() -> None:
    config = load_config(_WHOLE / "alertd.yaml", environment={}, secrets=Secrets.IGNORE)

    assert [tenant.name for tenant in config.tenants][:2] == ["contoso", "fabrikam"]
    assert config.warnings == ()


def test_without_secrets_an_unset_variable_is_fine_for_any_kind_of_value() -> None:
    text = (
        "receivers: [{name: a, webhook: [{url: '${HOOK}', send_resolved: '${FLAG}'}]}]\n"
        "route: {receiver: '${RECEIVER}', group_wait: '${WAIT}'}\n"
        "poll: {interval: '${INTERVAL}', concurrency: '${N}', first_sight: '${WORD}'}\n"
        "timezone: ${ZONE}\nstore: ${STORE}\nexternal_url: ${URL}\nhistory: {max_size: '${SIZE}'}\n"
        "tenants: [{name: '${NAME}', tenant_id: '${ID}', client_id: '${CLIENT}', credential: {client_secret: '${SECRET}'}}]\n"
        "web: {listen: '${LISTEN}'}\nrules: ['${RULES}']\ntemplates: ${TEMPLATES}\n"
    )

    parse_config(text, directory=Path.cwd(), secrets=Secrets.IGNORE)


def _credentials(config: Config) -> list[Credential]:
    return [tenant.settings.credential for tenant in config.tenants]


def test_a_configuration_prints_no_secret(whole: Config) -> None:
    assert "hunter2" not in repr(whole)
    assert _TEAMS_URL not in repr(whole)
    assert "<secret>" in repr(_credentials(whole))
