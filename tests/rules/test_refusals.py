"""Wrong at load, never at run time: every refusal, with what it says and where."""

from __future__ import annotations

import ast

import pytest

from alertd.model.alert import Scope
from alertd.rules.checker import check
from alertd.rules.expression import Expression
from alertd.rules.fault import ExpressionError, Fault
from alertd.rules.functions import FUNCTIONS
from alertd.rules.grammar import Source
from alertd.rules.purpose import Purpose
from alertd.rules.scan import LENGTH_MAX, LEVELS_MAX

ORDERED = "numbers, dates or durations"
PARAMS = {"threshold": 3, "codes": ("Active",), "name": "x"}


def faults(text: str, scope: Scope = Scope.JOB, purpose: Purpose = Purpose.ANY) -> tuple[Fault, ...]:
    with pytest.raises(ExpressionError) as caught:
        Expression.compile(text, scope=scope, params=PARAMS, purpose=purpose)
    assert caught.value.text == text
    return caught.value.faults


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        pytest.param(Fault(offset=0, found="`x`"), "`x`", id="what was found"),
        pytest.param(Fault(offset=0, found="`x`", expected="a date"), "found `x`; expected a date", id="and expected"),
        pytest.param(Fault(offset=0, found="`x`", cure="remove it"), "`x`; remove it", id="and the cure"),
        pytest.param(
            Fault(offset=0, found="`x`", expected="a date", cure="remove it"),
            "found `x`; expected a date; remove it",
            id="and both",
        ),
    ],
)
def test_how_a_fault_is_told(fault: Fault, told: str) -> None:
    assert str(fault) == told


def test_an_error_tells_all_faults_in_the_order_of_the_text_counting_from_one() -> None:
    error = ExpressionError("a b", [Fault(offset=2, found="`b`"), Fault(offset=0, found="`a`")])

    assert str(error) == "character 1: `a`\ncharacter 3: `b`"
    assert (error.text, [fault.offset for fault in error.faults]) == ("a b", [0, 2])


@pytest.mark.parametrize(
    ("text", "at", "found", "cure"),
    [
        # Names and properties
        pytest.param("status.cod == 1", "cod", "unknown property `cod` of `status`", "did you mean `code`?", id="property"),
        pytest.param(
            "status.countSuccesiveCompleteFailures > 3",
            "countSuccesive",
            "unknown property `countSuccesiveCompleteFailures` of `status`",
            "did you mean `countSuccessiveCompleteFailures`?",
            id="property, one letter short",
        ),
        pytest.param("job.schedule.intervall", "intervall", "unknown property", "did you mean `interval`?", id="deep property"),
        pytest.param("jobb.id", "jobb", "unknown name `jobb`", "did you mean `job`?", id="name"),
        pytest.param("code == 'Active'", "code", "unknown name `code`", "did you mean `status.code`?", id="property alone"),
        pytest.param(
            "status.code == Quarantine", "Quarantine", "unknown name `Quarantine`", 'did you mean "Quarantine"?', id="no quotes"
        ),
        pytest.param("alertd.failedDeliveries > 0", "alertd", "unknown name", "known in scope alertd only", id="other scope"),
        pytest.param("params > 3", "params", "unknown name `params`", "write `params.name`", id="params alone"),
        pytest.param("params.treshold > 3", "treshold", "unknown constant", "did you mean `threshold`?", id="constant"),
        pytest.param("age > 3", "age", "unknown name `age`", "write `age(t)`", id="function without call"),
        pytest.param("status.__class__", "__class__", "`__class__`", "not for rules", id="dunder"),
        pytest.param("status._x", "_x", "`_x`", "not for rules", id="underscore"),
        pytest.param("now.year", "year", "property `year` of a date", "has no properties", id="property of a date"),
        pytest.param("status.code.lower", "lower", "property `lower` of a text", "write `lower(s)`", id="method of a text"),
        pytest.param("tenant.labels.env", "env", "property `env` of a map", 'tenant.labels["env"]', id="property of a map"),
        pytest.param("status.progress.units", "units", "property `units` of a list", "only `len()`", id="property of a list"),
        pytest.param("status.progress[0]", "0", "`[...]` after a list", "only `len()`", id="index of a list"),
        pytest.param('status["code"]', '"code"', "`[...]` after an object", "write `status.name`", id="index of an object"),
        pytest.param("job.settings[1]", "1", "a number as key", "user to User", id="number as key"),
        pytest.param('job.settings["a":"b"]', "", "a slice", "", id="slice"),
        # Types
        pytest.param(
            "status.lastExecution.timeEnded > 5",
            "5",
            "a date compared with a number",
            "write `age(status.lastExecution.timeEnded)`",
            id="date and number",
        ),
        pytest.param("age(job.lastSeenAt) > 5", "5", "a duration compared with a number", "minutes(5)", id="duration and number"),
        pytest.param("job.lastSeenAt > hours(1)", "hours", "a date compared with a duration", "age(job.lastSeenAt)", id="date, span"),
        pytest.param('age(now) > "5m"', '"5m"', "a duration compared with a text", "minutes(5)", id="duration and text"),
        pytest.param('job.settings["x"] > 5', "5", "a text compared with a number", 'number(job.settings["x"])', id="text, number"),
        pytest.param('tenant.labels["x"] > 5', "5", "a text compared with a number", 'number(tenant.labels["x"])', id="label, number"),
        pytest.param('job.failureStreak > "3"', '"3"', "a number compared with a text", "without quotes", id="number and text"),
        pytest.param('status.code < "B"', '"B"', "`<` between a text and another", "texts have no order", id="order of texts"),
        pytest.param("status.escrowsPruned > false", "false", "`>` between a truth value", "compare with `==`", id="order of truths"),
        pytest.param("status.escrowsPruned == 1", "1", "a truth value compared with a number", "true, false", id="truth and number"),
        pytest.param("true + 1", "true", "a truth value + a number", "1 if x else 0", id="a bool is no number"),
        pytest.param('"a" * 3', '"a"', "a text * a number", "", id="text times number"),
        pytest.param('status.code + "x"', "status", "a text + a text", "", id="texts are not joined"),
        pytest.param("now * 2", "now", "a date * a number", "durations are multiplied by numbers", id="date times number"),
        pytest.param("now - 5", "now", "a date - a number", "seconds(5)", id="date minus number"),
        pytest.param("hours(1) + 5", "hours", "a duration + a number", "minutes(5)", id="duration plus number"),
        pytest.param("now + now", "now", "a date + a date", "dates differ by durations", id="date plus date"),
        pytest.param("5 / hours(1)", "5", "a number / a duration", "", id="number by duration"),
        pytest.param("-status.code", "-", "`-` before a text", "number(status.code)", id="minus text"),
        pytest.param("+1", "+", "unary `+`", "remove it", id="unary plus"),
        pytest.param("status.quarantine > 3", "3", "an object compared with a number", "", id="object and number"),
        pytest.param('1 if true else "a"', "1", "a number or a text", "same type", id="branches"),
        pytest.param('status.code in ["A", 1]', "1", "a number in the list", "one kind", id="list of kinds"),
        pytest.param("job.failureStreak in ['A']", "['A']", "a number in a list of a text", "", id="number in texts"),
        pytest.param("job in [1]", "[1]", "an object in a list of a number", "", id="object in numbers"),
        pytest.param('"x" in 5', "5", "`in` a number", "write `x in [a, b]`", id="in a number"),
        pytest.param("[1] == [1]", "[1]", "a list compared with a list", "write `x in [a, b]`", id="lists compared"),
        pytest.param("null in status.progress", "status.progress", "`in` `status.progress`", "only `len()`", id="in progress"),
        # Functions
        pytest.param("foo(1)", "foo", "unknown function `foo`", "known are age, until", id="function"),
        pytest.param("startwith(status.code, 'A')", "startwith", "unknown function", "startswith(s, x)", id="misspelt"),
        pytest.param("age()", "age()", "0 arguments for `age`", "write `age(t)`", id="too few"),
        pytest.param("age(now, now)", "age", "2 arguments for `age`", "write `age(t)`", id="too many"),
        pytest.param("min(1)", "min", "1 argument for `min`", "min(a, b, ...)", id="min of one"),
        pytest.param("min(1, now)", "min", "a number and a date", "numbers with numbers", id="min of kinds"),
        pytest.param("age(t=now)", "age", "0 arguments", "write `age(t)`", id="argument by name"),
        pytest.param("age(now, t=now)", "age", "`t=`", "write `age(t)`", id="one by name too many"),
        pytest.param("age(5)", "5", "a number as argument of `age`", "write `age(t)`", id="age of a number"),
        pytest.param("len(5)", "5", "a number as argument of `len`", "write `len(x)`", id="len of a number"),
        pytest.param("len(job)", "job", "an object as argument of `len`", "name one of its properties", id="len of an object"),
        pytest.param("contains(params.codes, 'x')", "params", "a list as argument", "write `x in params.codes`", id="contains list"),
        pytest.param("total(job.settings)", "total", "a map of texts", "synchronizedEntryCountByType", id="total of texts"),
        pytest.param("status.code.lower()", "status", "a call of `status.code.lower`", "write `lower(s)`", id="method call"),
        pytest.param("increased(status.code)", "status", "a text as argument of `increased`", "`changed`", id="increased text"),
        pytest.param("changed(previous.code)", "previous", "`previous.code`", "such as status.code", id="changed previous"),
        pytest.param("changed(job)", "job", "`job`", "such as status.code", id="changed root"),
        pytest.param("changed(1)", "1", "`1`", "such as status.code", id="changed number"),
        pytest.param("changed(tenant.name)", "tenant", "`tenant.name`", "such as status.code", id="changed tenant"),
        pytest.param("transitions(status.code)", "transitions", "no arguments by name", "to=value, within=", id="bare transitions"),
        pytest.param(
            "transitions(status.troubleshootingUrl, to='x', within=hours(1))",
            "status.trouble",
            "`status.troubleshootingUrl`",
            "status.code",
            id="transitions of what is not kept",
        ),
        pytest.param("transitions(status.code, to=1, within=hours(1))", "1", "a number as `to=`", "is a text", id="to number"),
        pytest.param("transitions(status.code, to='x', within=5)", "5", "a number as `within=`", "hours(n)", id="within number"),
        # Syntax that is not of this language
        pytest.param("status.code is null", "is", "`is`", "write `==`", id="is"),
        pytest.param('status.code = "A"', "=", "`=`", "write `==`", id="assignment"),
        pytest.param("not (status.code = 'A')", "= 'A'", "`=`", "write `==`", id="assignment in brackets"),
        pytest.param("1 if (status.code = 'A') else 2", "= 'A'", "`=`", "write `==`", id="assignment in a condition"),
        pytest.param("x := 1", ":=", "`:=`", "write `==`", id="walrus"),
        pytest.param("lambda: 1", "lambda", "`lambda`", "no functions of your own", id="lambda"),
        pytest.param('f"{status.code}"', "f", "an f-string", "not put together", id="f-string"),
        pytest.param("[x for x in [1]]", "for", "`for`", "no comprehensions", id="comprehension"),
        pytest.param("any(x for x in [1])", "for", "`for`", "no comprehensions", id="generator"),
        pytest.param("1j", "1j", "a complex number", "", id="complex"),
        pytest.param('b"x"', "b", "bytes", "remove the `b`", id="bytes"),
        pytest.param("...", "...", "`...`", "", id="ellipsis"),
        pytest.param("2 ** 3", "**", "`**`", "no powers", id="power"),
        pytest.param("5 // 2", "//", "`//`", "write `/`", id="whole division"),
        pytest.param("1 & 2", "&", "`&`", "no operations on bits", id="bits"),
        pytest.param("~1", "~", "`~`", "no operations on bits", id="inversion"),
        pytest.param("max(*[1, 2], 3)", "*", "`*`", "one by one", id="star"),
        pytest.param("max(1, 2, **{})", "**", "`**`", "", id="double star"),
        pytest.param("(1, 2)", "(1, 2)", "a tuple", "write `[a, b]`", id="tuple"),
        pytest.param("status.code in {'A'}", "{", "`{`", "write a list", id="set"),
        pytest.param("{{ status.code }}", "{{", "`{`", "this is no template", id="template"),
        pytest.param("status.code == {{ params.name }}", "{{", "`{`", "this is no template", id="template within"),
        pytest.param("a && b", "&&", "`&&`", "write `and`", id="and of C"),
        pytest.param("a || b", "||", "`||`", "write `or`", id="or of C"),
        pytest.param("!a", "!", "`!`", "write `not`", id="not of C"),
        pytest.param("status.code <> 'A'", "<>", "`<>`", "write `!=`", id="unequal of SQL"),
        pytest.param("a AND b", "AND", "`AND`", "write `and`", id="and of SQL"),
        pytest.param("a ? 1 : 2", "?", "`?`", "x if condition else y", id="ternary of C"),
        pytest.param("status.code == \N{LEFT DOUBLE QUOTATION MARK}A", "\N{LEFT DOUBLE QUOTATION MARK}", "`", "plain quotes", id="typography"),
        pytest.param('"abc', '"', '`"`', "close the text", id="text without end"),
        pytest.param('"\\d"', '"', "invalid escape sequence", "", id="unknown escape"),
        pytest.param("(1", "(", "`(` that is never closed", "close it", id="open bracket"),
        pytest.param("1)", ")", "`)` that closes nothing", "remove it", id="closing bracket"),
        pytest.param("[1)", ")", "`)` that closes nothing", "remove it", id="wrong bracket"),
        pytest.param("a b", "b", "invalid syntax", "", id="two words"),
        pytest.param("1e999", "1e999", "a number beyond all bounds", "smaller", id="infinite"),
        pytest.param("1000000000000000001", "1", "a number beyond all bounds", "smaller", id="too large"),
        pytest.param("1; 2", ";", "`;`", "remove it", id="two statements"),
        pytest.param("yield 1", "yield", "`yield`", "", id="yield"),
        pytest.param("await x", "await", "`await`", "", id="await"),
    ],
)  # fmt: skip
def test_refused(text: str, at: str, found: str, cure: str) -> None:
    """Each mistake is found where it is, named, and comes with a cure."""
    fault = faults(text)[0]

    assert found in fault.found
    assert cure in fault.cure
    assert text.startswith(at, fault.offset)


@pytest.mark.parametrize(
    ("text", "expected", "cure"),
    [
        (" ", "an expression", 'such as `status.code == "Quarantine"`'),
        (
            "transitions(job.displayName, to='x', within=hours(1))",
            "a path whose history is kept",
            "known are job.schedule.state, status.code, status.escrowsPruned, status.lastExecution.state, status.quarantine.reason",
        ),
        ('status.code < "B"', ORDERED, "texts have no order: compare with `==` or `in`, or write `number(...)`"),
        ("status.escrowsPruned > false", ORDERED, "compare with `==`"),
        ("status.escrowsPruned == 1", "two of a kind", "a truth value compares with true, false and null only"),
        ('job.failureStreak > "3"', "two of a kind", "write the number without quotes"),
        ('job.failureStreak > "x"', "two of a kind", ""),
        ('age(now) > "5m"', "two of a kind", "durations are written minutes(5), hours(2), days(7), or unquoted in `params`"),
        ('job == "5"', "two of a kind", ""),
        ('job.failureStreak + 1 > "3"', "two of a kind", "write the number without quotes"),
        ("now > 5", "two of a kind", "write `age(now)` and a duration such as hours(5)"),
        ("status.progress.units", "", "of a list only `len()` is known"),
        ("status.progress[0]", "a map", "of a list only `len()` is known"),
        ("-now", "a number or a duration", "write `age(now)` for a duration"),
        ("-job", "a number or a duration", ""),
        ("+now", "an expression", "remove it"),
        ("true + 1", ORDERED, "a truth value is no number: write `1 if x else 0`"),
        ("now - 5", "a duration beside it", "write seconds(5), minutes(5) or hours(5)"),
        ('"a" * 3', "numbers or durations", ""),
        ("now + now", "a calculation that has a result", "dates differ by durations; durations are multiplied by numbers"),
        (
            "len(job)",
            "a text or a list or a map",
            "name one of its properties: id, templateId, displayName, servicePrincipalId, appId, url, firstSeenAt, lastSeenAt",
        ),
        ("abs(status.code)", "a number or a duration", "write `number(status.code)`"),
        ("abs(now)", "a number or a duration", "write `abs(n)`"),
        ("abs(params.codes)", "a number or a duration", "write `abs(n)`"),
        ("contains(5, 'x')", "a text", "write `contains(s, x)`"),
        ("changed(1)", "a property of `status` or `job`", "write a path such as status.code or job.schedule.state"),
        ('status.code in ["A", 1]', "a text", "a list holds values of one kind"),
        ("[job] == null", "a value", "a list holds values of one kind"),
        ("status.code in status.progress", "a list of values", "of such a list only `len()` is known"),
        ("params > 3", "", "write `params.name`"),
        ("parms.threshold > 3", "", "did you mean `params`?"),
        ("params.treshold > 3", "", "did you mean `threshold`?"),
        ("1j", "a number, a text, true, false or null", ""),
        ("...", "a number, a text, true, false or null", ""),
        ("{{ status.code }}", "an expression", "this is no template: write the expression without `{{ }}`"),
        ("1}", "an expression", "there are no maps or sets: write a list, `[a, b]`"),
        ("1 & 2", "an expression", "there are no operations on bits: write `and`, `or`, `not`"),
        ("1; 2", "an expression", "remove it"),
        ("a b", "", "an expression is written as in Python; texts stand in quotes"),
        ('f"x"', "a plain text", "texts are not put together here"),
        ('"""a\nb"""', "", "write it as \\n"),
    ],
)  # fmt: skip
def test_what_is_expected_and_what_to_write_instead(text: str, expected: str, cure: str) -> None:
    """One of each kind, in the very words that a person reads."""
    fault = faults(text)[0]

    assert (fault.expected, fault.cure) == (expected, cure)


def second_look(text: str) -> tuple[Fault, ...]:
    """Give what the checker finds in a text that the scanner has not seen."""
    source = Source(text, ast.parse(text, mode="eval").body, text.encode(), 0)
    with pytest.raises(ExpressionError) as caught:
        check(source, Scope.JOB, {})
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lambda: 1", "Python's Lambda"),
        ("[x for x in [1]]", "Python's ListComp"),
        ('f"{status}"', "Python's JoinedStr"),
        ("{1: 2}", "Python's Dict"),
    ],
)
def test_what_a_later_python_may_bring_past_the_first_look_is_refused_by_the_second(text: str, found: str) -> None:
    """The scanner refuses what it knows to be foreign; the checker takes nothing but what it knows to be ours."""
    assert second_look(text) == (Fault(offset=0, found=found, expected="an expression of the rule language"),)


@pytest.mark.parametrize(("text", "found"), [("1j", "a complex number"), ("...", "`...`"), ('b"x"', "`b'x'`")])
def test_a_constant_of_python_that_is_none_of_ours_is_named(text: str, found: str) -> None:
    assert second_look(text) == (Fault(offset=0, found=found, expected="a number, a text, true, false or null"),)


@pytest.mark.parametrize("text", ["foo(1)", "status.code.strip()"])
def test_of_an_unknown_function_the_known_ones_are_told(text: str) -> None:
    known = faults(text)[0].cure.removeprefix("known are ").split(", ")

    assert known == list(FUNCTIONS)


def test_an_expression_that_stops_within_is_to_be_finished() -> None:
    (fault,) = faults("not ")

    assert (str(fault), fault.offset) == ("found the end; expected the rest of the expression; finish it", 3)


@pytest.mark.parametrize("text", ["1 +", "not", "status.", "1 if true else", "status.code =="])
def test_an_unfinished_expression_is_refused_at_its_end(text: str) -> None:
    fault = faults(text)[0]

    assert (fault.found, fault.offset) in {("the end", len(text)), ("invalid syntax", 0)}


@pytest.mark.parametrize("text", ["", "   ", "\n", "# only a remark"])
def test_nothing_is_no_expression(text: str) -> None:
    assert faults(text)[0].found in {"nothing", "the end"}


def test_everything_wrong_is_told_at_once_in_order() -> None:
    found = faults('jobb.id == 1 and status.cod == "A" and foo(2) and age(1) > 2')

    assert [fault.found.split(" `")[0] for fault in found] == [
        "unknown name",
        "unknown property",
        "unknown function",
        "a number as argument of",
    ]


def test_faults_of_non_ascii_texts_are_counted_in_characters() -> None:
    fault = faults('job.displayName == "é漢🙂" and foo(1)')[0]

    assert fault.offset == 29  # the text holds three characters, not nine bytes


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * LEVELS_MAX + "1" + ")" * LEVELS_MAX, id="brackets"),
        pytest.param("not " * LEVELS_MAX + "true", id="not"),
        pytest.param("-" * LEVELS_MAX + "1", id="minus"),
        pytest.param("1+" * LEVELS_MAX + "1", id="sum"),
        pytest.param(" or ".join(["status.code == 'Active'"] * 70), id="a long `or` is flat"),
        pytest.param("status.code in [" + ", ".join(["'A'"] * 300) + "]", id="a long list is flat"),
        pytest.param("true or" + " " * (LENGTH_MAX - 11) + "true", id="as long as may be"),
    ],
)
def test_as_deep_and_as_long_as_may_be(text: str) -> None:
    Expression.compile(text)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        pytest.param("(" * 51 + "1" + ")" * 51, 50, id="brackets"),
        pytest.param("[" * 51 + "1" + "]" * 51, 50, id="lists"),
        pytest.param("abs(" * 51 + "1" + ")" * 51, 203, id="calls"),
        pytest.param("not " * 51 + "true", 200, id="not"),
        pytest.param("-" * 51 + "1", 50, id="minus"),
        pytest.param("1+" * 51 + "1", 101, id="sum"),
        pytest.param("status" + ".a" * 51, 106, id="properties"),
        pytest.param("1 if true else " * 51 + "1", 752, id="conditionals"),
        pytest.param("(" * 1_500, 50, id="brackets that never close"),
    ],
)
def test_too_deep_is_refused_before_parsing(text: str, offset: int) -> None:
    fault = faults(text)[0]

    assert (fault.found, fault.expected, fault.offset) == ("one more level", "at most 50 levels", offset)


def test_too_long_is_refused_before_parsing() -> None:
    fault = faults("(" * (LENGTH_MAX + 1))[0]

    assert (fault.found, fault.expected) == ("2001 characters", "at most 2000")


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (Scope.TENANT, "status.code == 'x'"),
        (Scope.TENANT, "job.failureStreak > 1"),
        (Scope.TENANT, "alertd.storeTrouble"),
        (Scope.ALERTD, "tenant.name == 'x'"),
        (Scope.ALERTD, "status == null"),
        (Scope.JOB, "alertd.storeTrouble"),
    ],
)
def test_names_belong_to_scopes(scope: Scope, text: str) -> None:
    fault = faults(text, scope)[0]

    assert fault.found.startswith("unknown name")
    assert "is known in scope" in fault.cure


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (Scope.JOB, "tenant.labels['k'] == 'x' and previous_job.gone == job.gone and now > job.lastSeenAt"),
        (Scope.TENANT, "tenant.pollCoverage < 1 and now > tenant.lastPollAt and params.threshold > 1"),
        (Scope.ALERTD, "alertd.reloadFailed and params.threshold > 1"),
    ],
)
def test_names_of_the_scope_are_known(scope: Scope, text: str) -> None:
    Expression.compile(text, scope=scope, params=PARAMS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("changed(status.code)", id="changed"),
        pytest.param("status.code == 'Active' and changed(status.quarantine.reason)", id="changed beside a state"),
        pytest.param("changed(status.code) or changed(job.schedule.state)", id="either of two changes"),
        pytest.param("status.escrowsPruned and not previous.escrowsPruned", id="not previous"),
        pytest.param("previous.code != status.code", id="previous compared"),
        pytest.param("delta(status.countSuccessiveCompleteFailures) > 2", id="delta compared"),
        pytest.param("job.gone", id="gone"),
        pytest.param("job.appeared or job.gone", id="appeared or gone"),
        pytest.param("not (status.code == 'A' or not changed(status.code))", id="by De Morgan"),
        pytest.param("changed(status.code) == true", id="changed, spelled out"),
        pytest.param("true == changed(status.code)", id="the other way round"),
        pytest.param('("x" if changed(status.code) else "y") == status.code', id="a choice by a change"),
        pytest.param(
            '(previous.code if status.escrowsPruned else previous.quarantine.reason) == "x"',
            id="a choice among earlier values",
        ),
        pytest.param(
            "(changed(status.code) if status.escrowsPruned else job.gone) == status.escrowsPruned",
            id="a choice among moments",
        ),
        pytest.param("false if status.code == 'A' else job.gone", id="the other branch never holds"),
        pytest.param("total(previous.synchronizedEntryCountByType) > 5", id="previous inside a function"),
        pytest.param(
            "transitions(status.code, to='Quarantine', within=days(1)) > 2 and changed(status.code)", id="flapping"
        ),
    ],
)
def test_fit_for_an_event(text: str) -> None:
    Expression.compile(text, purpose=Purpose.EVENT)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("status.code == 'Quarantine'", id="a state"),
        pytest.param("status.code == 'A' or changed(status.code)", id="one branch without"),
        pytest.param("not changed(status.code)", id="not changed"),
        pytest.param("changed(status.code) == false", id="not changed, spelled out"),
        pytest.param("false == changed(status.code)", id="not changed, the other way round"),
        pytest.param("not job.gone", id="not gone"),
        pytest.param("not (status.code == 'A' and changed(status.code))", id="not of both"),
        pytest.param("job.gone if status.code == 'A' else true", id="one branch is a state"),
        pytest.param("job.failureStreak > 3", id="a fact"),
        pytest.param("true", id="always"),
        pytest.param("transitions(status.code, to='Quarantine', within=days(1)) > 2", id="instants alone"),
    ],
)
def test_an_event_needs_a_moment_in_every_way_to_be_true(text: str) -> None:
    fault = faults(text, purpose=Purpose.EVENT)[0]

    assert fault.found == "an event that can be true without a change"
    assert "`previous`" in fault.expected
    assert "`when`" in fault.cure


@pytest.mark.parametrize(
    "clock", ["age(job.lastSeenAt) > hours(1)", "until(job.disableAt) < days(1)", "now > job.lastSeenAt"]
)
def test_an_event_does_not_look_at_the_clock(clock: str) -> None:
    fault = faults(f"changed(status.code) and {clock}", purpose=Purpose.EVENT)[0]

    assert "in an event" in fault.found
    assert fault.expected == "conditions on what was read"
    assert fault.cure == "events are looked at only when something changed: write `when` for what depends on time"


@pytest.mark.parametrize(
    "text",
    [
        "changed(status.code)",
        "status.code == 'A' and increased(job.failureStreak)",
        "decreased(status.lastExecution.countEscrowed)",
        "delta(status.lastExecution.countEscrowed) > 5",
    ],
)
def test_a_state_does_not_speak_of_a_moment(text: str) -> None:
    fault = faults(text, purpose=Purpose.STATE)[0]

    assert "in a state" in fault.found
    assert fault.expected == "a condition that can last"
    assert fault.cure == "write `event` instead of `when`, or compare with `previous`"


@pytest.mark.parametrize("scope", [Scope.TENANT, Scope.ALERTD])
def test_beyond_jobs_there_are_no_events(scope: Scope) -> None:
    """Tenants and alertd have no previous reading."""
    fault = faults("now > now", scope, Purpose.EVENT)[-1]

    assert any("rules have states only" in each.cure for each in (*faults("now > now", scope, Purpose.EVENT), fault))
