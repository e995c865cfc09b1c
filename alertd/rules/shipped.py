"""The rules that come with alertd."""

from __future__ import annotations

from pathlib import Path

import alertd

_PACKAGE = Path(alertd.__file__).parent


def builtin_rules() -> tuple[Path, ...]:
    """Give the files of the shipped rules, in the order of their names: those of the wheel, or of the repository."""
    places = (_PACKAGE / "_shipped" / "rules", _PACKAGE.parent / "rules")
    folder = next((place for place in places if place.is_dir()), places[0])
    return tuple(sorted(folder.glob("*.yaml")))
