"""``${VAR}``: values from the environment, filled into texts that have been parsed, never into the YAML itself.

``$${`` is a literal ``${``, any other ``$`` is itself. So a value with a colon, a quote or a line break in it cannot change what a file means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

_REFERENCE = re.compile(r"\$(?P<literal>\$)?\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})?")


@attrs.define
class Environment:
    """The variables, and what became of the texts that asked for them; called with a text, it gives the filled one.

    lenient: a variable that is not set leaves its text as it stands (`check --no-secrets`) instead of being refused.
    filled: results in which a variable had a part; so they were not written into the file. unset: texts left as they stand.
    """

    variables: Mapping[str, str]
    lenient: bool = False
    filled: set[str] = attrs.field(factory=set, repr=False)
    unset: set[str] = attrs.field(factory=set, repr=False)

    def __call__(self, text: str) -> str:
        """Fill every ``${VAR}``; raises ValueError with the cure where one is not set, or is no reference."""
        if "${" not in text:
            return text
        missing = [name for name in self.names(text) if name not in self.variables]
        if missing and not self.lenient:
            raise ValueError(f"set the environment variable {missing[0]}, or write $${{ for a literal ${{")
        if missing:
            self.unset.add(text)
            return text
        value = _REFERENCE.sub(self._value, text)
        if any(self.names(text)):
            self.filled.add(value)
        return value

    def _value(self, found: re.Match[str]) -> str:
        return (
            "${" + (f"{found['name']}}}" if found["name"] else "")
            if found["literal"]
            else self.variables[found["name"]]
        )

    @staticmethod
    def names(text: str) -> list[str]:
        """Give the variables that a text asks for, in order; raises ValueError where a ``${`` names none."""
        names = []
        for found in _REFERENCE.finditer(text):
            if found["literal"]:
                continue
            if not found["name"]:
                raise ValueError("write ${NAME} with letters, digits and _ alone, or $${ for a literal ${")
            names.append(found["name"])
        return names
