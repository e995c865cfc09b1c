"""The table of commands: a new one is a new line here, and a module with a click command in it."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A command. target: ``module:attribute`` within this package. summary: its line in `alertd --help`."""

    name: str
    target: str
    summary: str


COMMANDS = (
    Entry("demo", "demo:demo", "See it at work: simulated tenants, a local inbox, no account."),
    Entry("run", "run:run", "Watch all tenants: the daemon."),
    Entry("poll", "poll:poll", "One round, for cron."),
    Entry("reload", "reload:reload", "Have the running daemon read its configuration anew."),
    Entry("status", "status:status", "How it goes, on one page."),
    Entry("alerts", "alerts:alerts", "What is wrong now."),
    Entry("deliveries", "deliveries:deliveries", "What was sent, is on its way, was given up."),
    Entry("history", "history:history", "What happened, in order of time."),
    Entry("ack", "ack:ack", "Take alerts on: no reminders until something changes."),
    Entry("silence", "silence:silence", "What nobody wants to hear of for a while."),
    Entry("digest", "digest:digest", "How every job does, as a digest would say it now."),
    Entry("explain", "explain:explain", "Why a rule says what it says about a job, and who was told."),
    Entry("render", "render:render", "A message as it would go out, not sent."),
    Entry("check", "check:check", "Everything that can be wrong without a network."),
    Entry("test", "test:test", "Unit tests of rules and notifications."),
    Entry("backtest", "backtest:backtest", "What other rules would have told, by the history there is."),
    Entry("init", "init:init", "Write a commented starter configuration."),
    Entry("doctor", "doctor:doctor", "Everything that can be wrong and needs the network to be seen."),
    Entry("send-test", "send_test:send_test", "A marked drill through the real channel."),
    Entry("routes", "routes:routes", "Which receivers hear of an alert."),
    Entry("simulate", "simulate:simulate", "Only the simulated Graph tenant, on a port."),
    Entry("schema", "schema:schema", "JSON Schemas, for completion and red underlines in editors."),
    Entry("version", "version:version", "The version, and what it runs on."),
)
