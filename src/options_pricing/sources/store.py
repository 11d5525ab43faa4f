"""A fetched day on disk: the raw table, beside it what a simulated market knows, and last of all where it came from."""

from pathlib import Path
from typing import Any, NamedTuple

from options_pricing.quotes.schema import RAW, TRUTH
from options_pricing.quotes.tables import write_csv
from options_pricing.run.calendar import parse_day
from options_pricing.run.errors import BadDataError, CannotWriteError, UpstreamError
from options_pricing.run.files import read_json, sha256_of, whole_files, write_json, writing
from options_pricing.sources.base import RawChain, Source


class RawFiles(NamedTuple):
    """The files of one day: ``X.csv``, ``X.meta.json`` and, from a simulated market, ``X.truth.csv``."""

    table: Path
    meta: Path
    truth: Path


def raw_files(table: Path) -> RawFiles:
    """The files that belong to the raw table `table`."""
    table = Path(table)
    if not table.name:
        raise CannotWriteError(f"{table} is no file", why="the raw table needs a name", fix="name a CSV file")
    return RawFiles(table, table.with_suffix(".meta.json"), table.with_suffix(".truth.csv"))


def fetched_before(source: Source, day: str, files: RawFiles) -> dict[str, Any] | None:
    """The meta of a day that is on disk as it is asked for now, or None where it must be fetched.

    The meta is written last, so that a table without one is the rest of an interrupted fetch. A day that was asked
    for otherwise (another seed, other tickers) is fetched anew, unless real quotes would give way to another source.

    Raises
    ------
    BadDataError
        What is on disk is another day, or real and from another source, or its bytes are not those of its meta;
        nothing is overwritten.
    """
    with writing(files.table):
        there = files.table.exists() and files.meta.exists()
    if not there:
        return None
    meta = read_json(files.meta)
    if not isinstance(meta, dict):
        raise BadDataError(
            f"{files.meta} does not describe a raw file",
            why="it holds no names and values",
            fix=f"move it and {files.table.name} away to fetch the day anew",
        )
    if meta.get("trade_date") not in (None, day):
        raise BadDataError(
            f"{files.table} holds another day than {day}",
            why=f"{files.meta.name} says {meta['trade_date']}",
            fix="give each day a file of its own",
        )
    if meta.get("request") != source.request(day):
        if meta.get("source") != source.name and not meta.get("simulated"):
            raise BadDataError(
                f"{files.table} holds real quotes from {meta.get('source')}",
                why=f"they would give way to {source.name}, which params.yaml asks for now",
                fix="move it and its .meta.json away, or set `source` in params.yaml back",
            )
        return None
    if meta.get("sha256") != sha256_of(files.table):
        raise BadDataError(
            f"{files.table} is not the file that was fetched",
            why=f"its sha256 is not the one in {files.meta.name}",
            fix="put the fetched file back, or move it and its .meta.json away to fetch it anew",
        )
    return meta


def store(source: Source, day: str, chain: RawChain, files: RawFiles) -> dict[str, Any]:
    """Write a chain and give its meta; the files whole or not at all, the meta last.

    Raises
    ------
    UpstreamError
        The chain is empty or of another day.
    """
    _check_day(source, day, chain)
    wanted = (files.table, files.meta) if chain.truth is None else (files.truth, files.table, files.meta)
    with whole_files(*wanted) as (*truth, table, told):
        if chain.truth is not None:
            write_csv(chain.truth, truth[0], TRUTH)
        write_csv(chain.quotes, table, RAW)
        meta = _meta(source, day, chain, sha256_of(table))
        write_json(told, meta)
        # All is on disk. A kill between the renames must not leave a new table beside the meta of the old.
        with writing(files.meta):
            files.meta.unlink(missing_ok=True)
            if chain.truth is None:
                files.truth.unlink(missing_ok=True)
    return meta


def _meta(source: Source, day: str, chain: RawChain, sha256: str) -> dict[str, Any]:
    return {
        "source": source.name,
        "simulated": source.simulated,
        "trade_date": day,
        "underlyings": chain.quotes["underlying"].unique().tolist(),
        "rows": len(chain.quotes),
        "sha256": sha256,
        "request": chain.request,
        "response_codes": list(chain.response_codes),
        "captured_at": chain.captured_at,
        "inputs": list(chain.inputs),
        "unreadable": dict(chain.unreadable),
        "notes": chain.notes,
    }


def _check_day(source: Source, day: str, chain: RawChain) -> None:
    if chain.quotes.empty:
        raise UpstreamError(
            f"{source.name} gave an empty chain for {day}",
            why="a trading day has options",
            fix="check the request, or list the day under run.without",
        )
    days = chain.quotes["trade_date"]
    if not (days == parse_day(day)).all():
        found = f"{days.min():%Y%m%d} to {days.max():%Y%m%d}"
        raise UpstreamError(
            f"{source.name} did not give {day}", why=f"its rows are of {found}", fix="ask for a day that it has"
        )
