"""Common causes as they are written: which alerts become one, when, and what the one is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated

import attrs

from alertd.alerts.common_cause import Annotate, CommonCause
from alertd.config.kinds import Choice, Duration, Integer, Text
from alertd.config.route import LABEL
from alertd.config.rules import MatcherText
from alertd.config.shape import ListOf, MapOf
from alertd.config.tenants import Labels
from alertd.model.alert import SEVERITIES
from alertd.notify.matchers import Matcher

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


@attrs.frozen(kw_only=True)
class CommonCauseEntry:
    """What makes many alerts one."""

    alert: Annotated[
        str,
        Text(
            "The name of the alert that speaks for the others.",
            pattern=_NAME,
            says="a name such as ManyJobsQuarantined",
        ),
    ]
    matchers: Annotated[
        tuple[Matcher, ...],
        ListOf("Which alerts it may speak for; all of them must hold.", kind=MatcherText(), least=1),
    ]
    equal: Annotated[
        tuple[str, ...],
        ListOf(
            "Labels on which they agree; `error_code` stands for the code of a job's error. Without `tenant`: across tenants.",
            kind=Text(pattern=LABEL, says="a label's name, such as tenant, or error_code"),
        ),
    ] = ("tenant",)
    within: Annotated[
        timedelta, Duration("Within how long of each other they begin to fire.", least="1s", most="1d")
    ] = timedelta(minutes=10)
    at_least: Annotated[int, Integer("How many of them it takes.", least=2, most=1_000_000)] = 5
    severity: Annotated[str, Choice("The severity of the alert that speaks for them.", SEVERITIES)] = "critical"
    labels: Annotated[Mapping[str, str], Labels("Further labels of it.")] = attrs.field(factory=dict)
    annotations: Annotated[
        Mapping[str, str],
        MapOf(
            "Its texts: templates that see `children`, `count`, `names`, `codes`, `tenants` and `labels`. Default: a summary and a description.",
            kind=Text(pattern=r"(?s).*\S.*"),
        ),
    ] = attrs.field(factory=dict)

    def cause(self, compile_annotations: Callable[[Mapping[str, str]], Annotate]) -> CommonCause:
        """Give it with its texts compiled."""
        return CommonCause(
            alert=self.alert,
            matchers=self.matchers,
            equal=self.equal,
            within=self.within,
            at_least=self.at_least,
            severity=self.severity,
            labels=self.labels,
            annotate=compile_annotations(self.annotations),
        )
