"""The rules run over a change: every verdict with its mode, refusals reported together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scim_server.lifecycle.change import ERRORS, Change, Rule, RuleContext, Verdict
from scim_server.lifecycle.policies import Mode, Policies
from scim_server.scim.errors import ScimError

_EFFECTS = {
    "enforce": "refused",
    "record": "recorded",
    "warn": "refused",
    "correct": "corrected",
    "defer": "deferred",
    "approve": "recorded",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict of a rule and what became of it: refused, recorded, corrected, deferred or overridden."""

    rule: str
    effect: str
    message: str
    path: str = ""
    error: str = "invalidValue"


@dataclass(slots=True)
class Judgement:
    """Everything the rules said about one change, in the order in which they were asked."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, rule: str, effect: str, message: str, path: str = "", error: str = "invalidValue") -> None:
        """Note a finding that no rule of the table made, such as a correction."""
        self.findings.append(Finding(rule, effect, message, path, error))

    @property
    def refusals(self) -> list[Finding]:
        """The findings that refuse the change."""
        return [finding for finding in self.findings if finding.effect == "refused"]

    def error(self) -> ScimError | None:
        """Return one error that reports every refusal, the gravest status winning; None without refusals."""
        refusals = self.refusals
        if not refusals:
            return None
        gravest = max(refusals, key=lambda finding: _GRAVITY.index(finding.error))
        messages = dict.fromkeys(finding.message for finding in refusals)
        return ERRORS[gravest.error]("; ".join(messages))


_GRAVITY = (
    "badRequest",
    "invalidValue",
    "mutability",
    "conflict",
    "uniqueness",
    "forbidden",
    "tooManyRequests",
)


def mode_of(rule: Rule, profile: str, policies: Policies) -> Mode:
    """Return the mode of a rule for a profile: the policies' own, else the rule's; gradual only records."""
    stated = policies.rules.get(rule.id, {}).get(profile)  # type: ignore[call-overload]
    return stated or _softened(rule.modes.get(profile, "record"), rule, policies)


def _softened(mode: Mode, rule: Rule, policies: Policies) -> Mode:
    is_gradual = policies.gradual and rule.error != "forbidden"
    return "record" if is_gradual and mode in {"enforce", "warn"} else mode


def judge(rules: Sequence[Rule], change: Change, context: RuleContext) -> Judgement:
    """Return what the rules say about a change."""
    judgement = Judgement()
    for rule in rules:
        mode = mode_of(rule, change.actor.profile, context.policies)
        if mode == "off":
            continue
        for verdict in rule.check(change, context):
            chosen = mode if verdict.mode is None else _softened(verdict.mode, rule, context.policies)
            effect = _effect(rule, verdict, chosen, change)
            judgement.findings.append(Finding(rule.id, effect, verdict.message, verdict.path, rule.error))
    return judgement


def _effect(rule: Rule, verdict: Verdict, mode: Mode, change: Change) -> str:
    if mode == "warn" and change.overrides(rule.id, verdict.key):
        return "overridden"
    return _EFFECTS[mode]
