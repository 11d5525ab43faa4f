"""The same answer again: a receipt's request, asked of the release that is kept, without a server."""

from pathlib import Path

from options_pricing.release.store import Store
from options_pricing.run.errors import BadDataError, MissingInputError
from options_pricing.serving.receipts import digest, read, without_receipt, written


def replay(releases: Path, text: str) -> bytes:
    """The answer that a receipt belongs to, bit for bit, its receipt included.

    Parameters
    ----------
    releases : Path
        The folder of releases; the one that answered must be kept there.
    text : str
        The receipt.

    Raises
    ------
    BadDataError
        It is no receipt, or what comes out is not what was answered.
    MissingInputError
        The release is not kept any more.
    """
    from options_pricing.serving.api import create_app

    receipt = read(text)
    folder = Store(releases).folder_of(receipt.release)
    if not folder.is_dir():
        raise MissingInputError(
            f"release {receipt.release} is not kept in {releases}",
            why="its receipt can only be replayed with the very model that answered",
            fix="bring the folder of that release back, or name another with --releases",
        )
    client = create_app(folder, today=lambda: receipt.asked_on).test_client()
    kind = "application/json" if receipt.method == "POST" else None
    response = client.open(receipt.target, method=receipt.method, data=receipt.body, content_type=kind)
    answer = without_receipt(response.data) if response.mimetype == "application/json" else b""
    if not answer or digest(answer) != receipt.answer:
        raise BadDataError(
            f"the replay of release {receipt.release} does not give what was answered",
            why=f"it answers with status {response.status_code}, and the SHA-256 of the answer is another",
            fix="replay with the versions of this project and its libraries that answered, or find who edited it",
        )
    return answer[:-2] + b',"receipt":"' + written(receipt).encode() + b'"}\n'
