"""The sections of params.yaml that say when a release may be made live."""

from typing import Literal

from pydantic import Field, model_validator

from options_pricing.run.section import Section, Share


class Gate(Section):
    """What evidence opens the gate; docs/governance.md says what the figures do."""

    days: int = Field(120, ge=20, le=1000, description="days out of sample that R2 and buckets are looked at over")
    line: float = Field(0.25, ge=0, lt=1, description="R2 of implied vol against the random walk to be above")
    confidence: float = Field(0.95, ge=0.9, lt=1, description="1 less the chance of ever opening at the line")
    looks: int = Field(250, ge=1, le=1000, description="daily looks that this chance is over: a year of them")
    block: int = Field(5, ge=1, le=20, description="days that follow each other and are resampled together")
    paths: int = Field(2000, ge=500, le=20_000, description="histories that are drawn from the model's own days")
    seed: int = Field(42, ge=0, lt=1 << 32)
    tick: float = Field(0.01, ge=0, le=1, description="what a contradiction among the model's prices must be worth")
    coverage: tuple[Share, Share] = Field((0.85, 0.95), description="what 90 % price intervals may have held")

    @model_validator(mode="after")
    def _a_band(self) -> "Gate":
        if self.coverage[0] >= self.coverage[1]:
            raise ValueError("gate.coverage is not the lower end and then the upper")
        return self


class Automation(Section):
    """What is done without a person; a release in trouble is always taken back without one."""

    promote: Literal["manual", "auto"] = Field("manual", description="auto: an open gate makes the staged release live")
    days: int = Field(20, ge=1, le=250, description="trading days in a row that the gate must have been open for auto")
