"""What a release is made of: its files with their fingerprints, and the prices it must give again."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MODEL_FILE = "options_pricing_model.pkl"
CARD_FILE = "model_card.json"
MANIFEST_FILE = "manifest.json"
ID_LENGTH = 12

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Day = Annotated[str, Field(pattern=r"^\d{8}$")]


class ModelCard(BaseModel):
    """What the rest of the project needs of a model card; whatever else it says is kept as it is."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    model: str
    as_of: Day
    simulated: bool
    model_sha256: Sha256
    versions: dict[str, str]
    days: list[Day]


class GoldenRow(BaseModel):
    """One option and the price that the released model gives it, to the last bit."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    underlying: str
    root: str | None = None
    expiration: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    strike: float
    option_type: str
    predicted_price: float

    def asked(self) -> dict[str, Any]:
        """The option as a client asks for it."""
        return self.model_dump(exclude={"predicted_price"}, exclude_none=True)


class Manifest(BaseModel):
    """``manifest.json``: nothing of a release is used before it is checked against this."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    release_id: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{ID_LENGTH}}}$")]
    model: str
    as_of: Day
    simulated: bool
    days: list[Day]
    files: dict[str, Sha256]
    sizes: dict[str, Annotated[int, Field(ge=0)]]
    versions: dict[str, str]
    params: dict[str, Any]
    golden_rows: Annotated[list[GoldenRow], Field(min_length=1)]


def make_manifest(
    card: ModelCard, files: Mapping[str, bytes], params: Mapping[str, Any], golden_rows: list[GoldenRow]
) -> Manifest:
    """Describe a release: `files` maps each file's name to its content, `params` are those it was trained with."""
    content: dict[str, Any] = {
        "model": card.model,
        "as_of": card.as_of,
        "simulated": card.simulated,
        "days": card.days,
        "files": {name: hashlib.sha256(held).hexdigest() for name, held in files.items()},
        "sizes": {name: len(held) for name, held in files.items()},
        "versions": card.versions,
        "params": dict(params),
        "golden_rows": [row.model_dump() for row in golden_rows],
    }
    return Manifest(release_id=release_id_of(content), **content)


def release_id_of(content: Mapping[str, Any]) -> str:
    """The first 12 hex digits of the SHA-256 of a manifest's content, its own id left out."""
    rest = {key: value for key, value in content.items() if key != "release_id"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:ID_LENGTH]


def manifest_bytes(manifest: Manifest) -> bytes:
    """``manifest.json`` as it stands on disk."""
    return (json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
