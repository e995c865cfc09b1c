"""`alertd init` writes a file that is right as it stands, and never over another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from alertd.config import Secrets, load_config, parse_config


def test_the_starter_configuration_is_right_as_it_stands(alertd: Any) -> None:
    assert alertd("init").code == 0

    config = load_config("alertd.yaml", environment={}, secrets=Secrets.IGNORE)
    assert config.warnings == ()
    assert config.route.receiver == "identity-oncall"


def test_the_keys_to_switch_on_are_right_too(alertd: Any) -> None:
    """Whoever removes a `#` must not meet an unknown key."""
    alertd("init")
    starter = Path("alertd.yaml").read_text(encoding="utf-8")
    others = re.sub(r"(?m)^.*(client_secret_file|managed_identity).*$", "", starter)  # one credential at a time

    text = re.sub(r"(?m)^( *)#(?! \S)", r"\1", others)

    assert "smtp-password" in str(yaml.safe_load(text))
    Path("rules").mkdir()
    Path("rules/own.yaml").touch()
    config = parse_config(text, directory=Path.cwd(), secrets=Secrets.IGNORE)
    assert config.warnings == ()


def test_it_never_writes_over_a_file(alertd: Any) -> None:
    Path("alertd.yaml").write_text("mine", encoding="utf-8")

    refused = alertd("init")

    assert refused.code == 2
    assert "alertd.yaml is there already; --force writes over it" in refused.err
    assert Path("alertd.yaml").read_text(encoding="utf-8") == "mine"
    assert alertd("init", "--force").code == 0
    assert Path("alertd.yaml").read_text(encoding="utf-8") != "mine"


def test_a_folder_that_is_not_there(alertd: Any) -> None:
    refused = alertd("init", "nowhere/alertd.yaml")

    assert refused.code == 2
    assert "nowhere" in refused.err
