"""The rule language: read, checked against the types of the resources, compiled, evaluated, explained.

    scan -> grammar -> checker -> term -> compiler (code: guards and values; inline: functions) -> Expression
                                       -> trace    (the same, slowly, with the value of every part)
    loader -> Rule, RuleSet;  lint -> findings;  evaluation -> Verdict

What an expression means where Python or common sense would leave it open:

- `and`, `or`, `not` and comparisons give true or false, never one of their operands. Where a truth value is wanted, null,
  0, an empty text or list count as false; an object (`previous`) counts as true where it is there. A number, text, date or
  duration in such a place is a warning.
- A comparison by `<` and its kin with null is false, by `==` and `!=` it is exact; `in` is equality, so null is in a list
  only if null stands there. Each pair of a chain is judged by itself. Texts and truth values have no order.
- A calculation with null is null, `min` and `max` of null too; predicates (`contains`, `like` ...) of null are false.
- Beyond all bounds is null: a date outside the calendar, a duration no timedelta holds, a product or quotient above 10^18.
- `like` is case-sensitive (`lower` helps) and knows `*`, `?` and `[abc]`. `number` reads plain decimals.
- `changed` and its family compare with `previous` or `previous_job`, and are false, or null for `delta`, without it.
- `transitions` counts instants at most `within` old, that span included.
- Constants: a number, text, truth value, null, a list of one kind, or a duration: an unquoted `5m` is one, `"5m"` is text.
  An override keeps the type. Their values reach the compiled code at each evaluation, so nothing is compiled anew.
"""
