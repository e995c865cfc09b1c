"""One bad configuration per file under bad/, named by its defect; the comments at its head are the errors it must give, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from alertd.config import load_config
from alertd.errors import ConfigError

_BAD = Path(__file__).parent / "bad"
_SECRET = "hunter2"
_ENVIRONMENT = {
    "SECRET": _SECRET,
    "HOOK_URL": f"https://hooks.example.com/{_SECRET}",
    "PLAIN_URL": f"http://hooks.example.com/{_SECRET}",
    "NOTHING": "",
}


def _told(path: Path, error: ConfigError) -> list[str]:
    errors = [str(problem) for problem in error.problems if not problem.warning]
    places = [text.removeprefix(f"{path}:").replace(str(path), path.name) for text in errors]
    return [text.replace(str(path.parent), "DIR").replace("\\", "/") for text in places]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in sorted(_BAD.glob("*.yaml"))])
def test_a_defect_is_told_with_place_and_cure(path: Path) -> None:
    expected = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]

    with pytest.raises(ConfigError) as caught:
        load_config(path, environment=_ENVIRONMENT)

    assert _told(path, caught.value) == expected
    assert _SECRET not in str(caught.value), "a problem shows a secret"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"alertd\.yaml: no readable file \(No such file or directory\)"):
        load_config(tmp_path / "alertd.yaml", environment={})


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "alertd.yaml"
    path.write_bytes(b"store: \xff\xfe")

    with pytest.raises(ConfigError, match="expected UTF-8"):
        load_config(path, environment={})


def test_problems_of_a_tenants_file_stand_at_their_own_file(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "emea.yaml").write_text(
        "- {name: contoso, tenant_id: contoso.com, clout: china}\n", encoding="utf-8"
    )
    main = tmp_path / "alertd.yaml"
    main.write_text(
        "tenants_files: [tenants/*.yaml]\nreceivers: [{name: a, webhook: [{url: 'https://x.example'}]}]\nroute: {receiver: b}\n",
        encoding="utf-8",
    )

    with pytest.raises(ConfigError) as caught:
        load_config(main, environment={})

    places = [
        (Path(problem.file).name, problem.line, problem.path)
        for problem in caught.value.problems
        if not problem.warning
    ]
    assert sorted(places) == [
        ("alertd.yaml", 3, "route.receiver"),
        ("emea.yaml", 1, "[0].clout"),
        ("emea.yaml", 1, "[0].credential"),
    ]
