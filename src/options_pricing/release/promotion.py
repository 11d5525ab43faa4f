"""Making a release live and going back: who may, what is checked, what is recorded, and who sees that it went well.

A promotion is recorded before the pointer is written, so that nothing is ever live without a record; going back is done
first and recorded then, so that nothing stands in its way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from options_pricing.release.candidate import check_candidate
from options_pricing.release.health import PATIENCE_SECONDS, Api, serves, watch
from options_pricing.release.ledger import LEDGER_FILE, Ledger
from options_pricing.release.manifest import MANIFEST_FILE, Manifest, manifest_bytes
from options_pricing.release.signing import SIGNATURE_FILE
from options_pricing.release.store import STAGED, Live, Store
from options_pricing.release.verify import verify_kept, verify_release
from options_pricing.run.errors import ExitCode, MissingInputError, NotPermittedError, TaskError
from options_pricing.run.files import read_bytes

if TYPE_CHECKING:
    from options_pricing.release.permission import Permission
    from options_pricing.run.params import Params

CONFIRM_SECONDS = 1.0
ITSELF = "options-pricing promote"

Alert = Callable[[str, str, str], None]


class RolledBackError(TaskError):
    """A release that was made live did not answer as it must, and is live no more."""

    exit_code = ExitCode.ROLLED_BACK


@dataclass(frozen=True)
class Act:
    """Who does something, and why."""

    by: str
    reason: str


@dataclass(frozen=True)
class Promoted:
    """A release that is live now, on what permission, and whether a running API was seen to serve it."""

    live: Live
    because: str
    watched: bool


class Releases:
    """The releases of a checkout with their ledger, and the API that serves them.

    Parameters
    ----------
    folder : Path
        ``releases/``.
    api : Api
        Where it runs, if it does.
    """

    def __init__(self, folder: Path, api: Api) -> None:
        self.store, self.api = Store(folder), api
        self.ledger = Ledger(self.store.folder / LEDGER_FILE)

    def promote(
        self,
        name: str,
        act: Act,
        params: "Params",
        *,
        alert: Alert,
        patience: float = PATIENCE_SECONDS,
    ) -> Promoted:
        """Make a release live if it may be, see the running API take it up, and go back by itself where that fails.

        Parameters
        ----------
        name : str
            An id, or ``staged``.
        act : Act
        params : Params
        alert : callable
            Called with the release's id, what happened and why, where it was taken back.
        patience : float
            Seconds that the workers of the API may take to load it.

        Raises
        ------
        MissingInputError, ModelRefusedError
            There is no such release, or it is not fit to be loaded.
        NotPermittedError
            The gate is closed and nobody else has approved it.
        RolledBackError
            It did not answer as it must, and what was live before is live again.
        """
        manifest = self._kept(name)
        permission = self._permitted(manifest.release_id, act, params)
        check_candidate(self.store.folder_of(manifest.release_id), manifest.release_id)
        follows = self.api.follows_releases()
        before = self.store.live()
        if before is not None and before.live == manifest.release_id:
            seen = follows and serves(self.api, [before.live], seconds=CONFIRM_SECONDS)
            return Promoted(before, "it was live already", seen)
        details = {
            "reason": act.reason,
            "because": permission.because,
            "from": before.live if before else None,
            # Whoever asks names the parameter file: what the gate was asked must not be forgotten.
            "gate": params.gate.model_dump(mode="json"),
            # Nor of what: whoever may write to reports/ can write most of these files.
            "evidence": dict(permission.evidence),
        }
        self.ledger.append("promoted", release_id=manifest.release_id, by=act.by, details=details)
        try:
            live = self.store.make_live(manifest.release_id)
            why = watch(self.api, manifest, patience=patience) if follows else None
        except BaseException as error:
            # Who did not see it through does not know that it is well.
            self._take_back(manifest.release_id, f"it was not watched to the end ({type(error).__name__})", alert)
            raise
        if why is not None:
            to = self._take_back(manifest.release_id, why, alert)
            raise RolledBackError(
                f"release {manifest.release_id} is not live: it did not answer as it must; live is {to or 'nothing'}",
                why=why,
                fix="look at the log of the API, stage another release and promote that",
            )
        return Promoted(live, permission.because, follows)

    def roll_back(self, act: Act) -> tuple[Live, bool]:
        """Make live what was live before; give it, and whether the running API was seen to serve it.

        No model is loaded, as the workers of the API still hold it.

        Raises
        ------
        MissingInputError
            There is nothing to go back to.
        ModelRefusedError
            The files of the release before are no longer what its manifest names.
        """
        now = self.store.live()
        if now is not None and now.previous is not None:
            verify_kept(self.store.folder_of(now.previous))
        live = self.store.roll_back(only_from=now.live if now else None)
        details = {"reason": act.reason, "to": live.live, "automatic": False}
        self.ledger.append("rolled_back", release_id=now.live if now else None, by=act.by, details=details)
        return live, serves(self.api, [live.live], seconds=CONFIRM_SECONDS)

    def _kept(self, name: str) -> Manifest:
        """The manifest of a release; one that is only staged is kept under its id from now on."""
        name = name.lower()
        staged = self.store.staged / MANIFEST_FILE
        if name == STAGED or (name not in self.store.ids() and staged.is_file()):
            verified = verify_release(self.store.staged)
            if name in (STAGED, verified.manifest.release_id):
                # The very bytes that were checked: a release may be staged in its place at this moment.
                manifest = {MANIFEST_FILE: manifest_bytes(verified.manifest)}
                signature = {SIGNATURE_FILE: read_bytes(self.store.staged / SIGNATURE_FILE)}
                self.store.keep(verified.manifest.release_id, verified.files | manifest | signature)
                return verified.manifest
        folder = self.store.folder_of(name)
        if not folder.is_dir():
            raise MissingInputError(
                f"there is no release {name} in {self.store.folder}",
                why=f"kept are {', '.join(self.store.ids()) or 'none'}",
                fix="name one of these, or stage one: `snakemake --cores 4 deploy`",
            )
        return verify_kept(folder).manifest

    def _permitted(self, release_id: str, act: Act, params: "Params") -> "Permission":
        """The permission; a `NotPermittedError` where there is none."""
        from options_pricing.release.permission import permission

        found = permission(self.store.folder, release_id, act.by, params, datetime.now(UTC))
        if not found.allowed:
            raise NotPermittedError(
                f"release {release_id} must not be made live by {act.by}",
                why=found.because,
                fix=found.fix,
            )
        return found

    def _take_back(self, release_id: str, why: str, alert: Alert) -> str | None:
        """Have live again what was before, record it and tell people; the id of what is live now."""
        now = self.store.live()
        if now is not None and now.live == release_id and now.previous is None:
            self.store.take_down(only_from=release_id)
        elif now is not None:
            self.store.roll_back(only_from=release_id)
        live = self.store.live()
        to = None if live is None else live.live
        try:
            details = {"why": why, "to": to, "automatic": True}
            self.ledger.append("rolled_back", release_id=release_id, by=ITSELF, details=details)
        finally:
            alert(release_id, f"release {release_id} was taken back by itself; live is {to or 'nothing'}", why)
        return to
