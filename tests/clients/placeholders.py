"""The named values of a conversation and their substitution into requests and expectations."""

import re
import uuid
from typing import Any
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_RANDOM = re.compile(r"(guid\d*|unknownId|randomString\d*)")
_NAMESPACE = uuid.UUID("5a0f6f0e-5f0c-4f43-9b0e-0d6f1f7c2b61")


class Values:
    """What `{{name}}` stands for in one conversation.

    `{{guid}}`, `{{unknownId}}` and `{{randomString}}` are different for every conversation and
    the same on every run; a name in capitals is the value of the same name upper-cased.
    """

    def __init__(self, conversation: str, known: dict[str, str]) -> None:
        self._conversation = conversation
        self._known = dict(known)

    def bind(self, name: str, value: str) -> None:
        """Let `{{name}}` stand for the value from now on."""
        self._known[name] = value

    def __getitem__(self, name: str) -> str:
        if name in self._known:
            return self._known[name]
        if _RANDOM.fullmatch(name):
            return str(uuid.uuid5(_NAMESPACE, f"{self._conversation}/{name}"))
        for known, value in self._known.items():
            if known.upper() == name:
                return value.upper()
        raise KeyError(f"{self._conversation}: no value for {{{{{name}}}}}")

    def fill(self, template: Any) -> Any:
        """Return the template with the placeholders of all its strings, keys too, replaced."""
        if isinstance(template, str):
            return _PLACEHOLDER.sub(lambda match: self[match[1]], template)
        if isinstance(template, list):
            return [self.fill(element) for element in template]
        if isinstance(template, dict):
            return {self.fill(key): self.fill(value) for key, value in template.items()}
        return template

    def fill_path(self, template: str) -> str:
        """Return a request target; what surrounds the placeholders keeps its recorded encoding."""
        return _PLACEHOLDER.sub(lambda match: quote(self[match[1]], safe="@"), template)
