"""What every part of the parameter file has in common."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A part of params.yaml: unknown keys are refused, so are NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class SourceSection(Section):
    """What the sections of all sources share."""

    # A live source shows the market of now: it is asked after the close, and for no day that has passed unseen.
    live: ClassVar[bool] = False
