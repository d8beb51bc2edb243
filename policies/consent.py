"""The words of asking, as frozen values: what `consent.toml` says of bands of age and of questions."""

from dataclasses import dataclass

from policies.naming import Title


@dataclass(frozen=True, slots=True)
class AgeBand:
    """Members younger than `until` years, and older than the band before (SM-12: data, not code).

    `guardian`: a guardian must consent (PIPL 31). `automated_marketing`: whether automated decisions may market to them (未成年人
    网络保护条例 24). `staff_approval`: staff see them under an approval only (MIN 36).
    """

    key: str
    title: Title
    until: int
    guardian: bool
    automated_marketing: bool
    staff_approval: bool


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """How consents are asked for and passed on (consent.toml). `bands` are in the order of age.

    `reask_days` is the pause after an unanswered question, a refusal or a withdrawal (NC-11); on a channel of `ask_once` a question is
    put once and never again (SMS31 18). `age_field` holds the birthday that bands are told by.
    """

    reask_days: int
    ask_once: frozenset[str]
    age_field: str
    bands: tuple[AgeBand, ...]
    propagation_alarm_hours: int
    sensitive_threshold: int
    sensitive_officer: str

    def band_of(self, age: int) -> AgeBand | None:
        """The band of somebody of this age in full years; None for an adult."""
        return next((band for band in self.bands if age < band.until), None)
