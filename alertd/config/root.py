"""The whole configuration as one value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

import attrs

from alertd.config.common_causes import CommonCauseEntry
from alertd.config.context import Context
from alertd.config.digest import Digest
from alertd.config.intervals import NAMED
from alertd.config.kinds import Choice, Duration, Kind, Schema, TimeZone
from alertd.config.paths import Directory
from alertd.config.receivers import RECEIVER, ReceiverKind
from alertd.config.route import InhibitRules, Route
from alertd.config.rules import BUILTIN, Override, RuleFiles
from alertd.config.secrets import Url
from alertd.config.sections import Delivery, Heartbeat, History, Http, Log, Poll, Web
from alertd.config.shape import ListOf, Nullable, Section
from alertd.config.tenants import Tenant, Tenants
from alertd.errors import Problem
from alertd.model.document import Fields, Node
from alertd.notify import inhibition
from alertd.notify.channels.settings import ReceiverSettings
from alertd.notify.inhibition import InhibitRule
from alertd.notify.intervals import NamedIntervals


@attrs.frozen
class Store:
    """Where everything is kept. path: the SQLite file."""

    path: Path

    @property
    def url(self) -> str:
        """As the database layer wants it."""
        return f"sqlite:///{self.path.as_posix()}"

    def __str__(self) -> str:
        return self.url


@attrs.frozen
class StoreUrl(Kind):
    """``sqlite:///FILE``; a path without a leading slash is relative to the configuration."""

    expected: ClassVar[str] = "sqlite:///FILE"
    harmless: ClassVar[Any] = Store(Path("alertd.db"))

    def take(self, name: str, fields: Fields, context: Context) -> Store:
        """Read it; by default the store lies beside the configuration, wherever alertd is started."""
        node = fields[name]
        return Store(context.resolve("alertd.db")) if node.null else self.read(node, context)

    def read(self, node: Node, context: Context) -> Store:
        """Give the store, its path made whole."""
        text = node.text("")
        match = re.fullmatch(r"sqlite:///(?P<path>[^?#]+)", text)
        if re.match(r"postgres(?:ql)?(?:\\+\w+)?:", text):
            node.problem("a PostgreSQL store: not in this version of alertd", expected=self.expected)
        elif match is None and not context.unresolved(text) and node.scalar:
            node.problem("no store", expected="sqlite:///alertd.db, or sqlite:////var/lib/alertd/alertd.db")
        return Store(context.resolve(match["path"] if match else "alertd.db"))

    def written(self, value: Any) -> Any:
        """Write its URL."""
        return str(value)

    def schema(self) -> Schema:
        """Say how it begins."""
        return {"type": "string", "pattern": r"^sqlite:///.|\$\{"}


@attrs.frozen(kw_only=True)
class Config:
    """Everything an operator says. Paths are whole, defaults are filled in, references between sections hold.

    file: where it was read from; null for one that was made in a program, as the demo's is.
    rules: the word ``builtin`` and paths, in order. warnings: what deserves a look, and stops nothing.
    """

    store: Annotated[Store, StoreUrl("Where everything is kept: a SQLite file.")] = Store(Path("alertd.db"))
    engine: Annotated[
        str, Choice("Who does the work: `local`, this process alone.", ("local",), later=("cluster",))
    ] = "local"
    poll: Annotated[Poll, Section("How Microsoft Graph is asked.", build=Poll)] = Poll()
    history: Annotated[History, Section("How much of the past is kept.", build=History)] = History()
    tenants: Annotated[tuple[Tenant, ...], Tenants("Who is watched.")] = ()
    rules: Annotated[
        tuple[Path | str, ...], RuleFiles("Rule files and globs; `builtin` stands for the shipped rules.")
    ] = (BUILTIN,)
    overrides: Annotated[
        tuple[Override, ...],
        ListOf(
            "What is different for some alerts, in order; the last that matches wins.", kind=Section(build=Override)
        ),
    ] = ()
    templates: Annotated[
        Path | None,
        Directory("Your own templates, by the shipped ones' relative names; the shipped ones stand behind."),
    ] = None
    receivers: Annotated[
        tuple[ReceiverSettings, ...], ListOf("Who is told.", kind=ReceiverKind(build=RECEIVER), least=1)
    ]
    route: Annotated[Route, Section("How alerts get to a receiver.", build=Route)]
    inhibit_rules: Annotated[
        tuple[InhibitRule, ...],
        InhibitRules(
            "Which alerts hold others back; `builtin` in the list adds the shipped rules. Default: those alone."
        ),
    ] = inhibition.BUILTIN
    common_causes: Annotated[
        tuple[CommonCauseEntry, ...],
        ListOf("What makes many alerts that begin together one that lists them.", kind=Section(build=CommonCauseEntry)),
    ] = ()
    time_intervals: Annotated[
        tuple[NamedIntervals, ...],
        ListOf("Named times for mute_time_intervals and active_time_intervals of routes.", kind=Section(build=NAMED)),
    ] = ()
    delivery: Annotated[Delivery, Section("What happens when a receiver does not take a message.", build=Delivery)] = (
        Delivery()
    )
    digest: Annotated[
        tuple[Digest, ...],
        ListOf("Who gets a summary of everything watched at fixed times.", kind=Section(build=Digest)),
    ] = ()
    silence_warning: Annotated[
        timedelta | None,
        Duration(
            "How long before a silence ends those who will hear of what it hides are told so; missing: never.",
            least="1m",
            most="7d",
        ),
    ] = None
    web: Annotated[Web | None, Nullable("The pages and the HTTP interface; null: none.", kind=Section(build=Web))] = (
        Web()
    )
    external_url: Annotated[str | None, Url("How people reach this alertd, for the links in messages.", plain=True)] = (
        None
    )
    timezone: Annotated[ZoneInfo, TimeZone("Of the times in messages, beside UTC.")] = ZoneInfo("UTC")
    http: Annotated[Http, Section("The way to the outside.", build=Http)] = Http()
    log: Annotated[Log, Section("What is logged to stderr.", build=Log)] = Log()
    heartbeat: Annotated[
        Heartbeat | None,
        Section("A sign of life to a service that raises the alarm when it stays away.", build=Heartbeat),
    ] = None
    file: Path | None = None
    warnings: tuple[Problem, ...] = ()

    @property
    def fallbacks(self) -> Mapping[str, str]:
        """Who is told in whose place, by the receivers' names."""
        return {receiver.name: receiver.fallback for receiver in self.receivers if receiver.fallback}

    @property
    def receivers_by_name(self) -> Mapping[str, ReceiverSettings]:
        """The receivers by what routes call them."""
        return {receiver.name: receiver for receiver in self.receivers}
