# What the rules share: a part of the parameters, the day before, what has been judged so far.


def section(*keys):
    """The named parts of the parameters as ONE dict: swapped scalars would go unnoticed, and so would a lambda."""
    return section_of(params, keys)


def earlier_raw(wildcards):
    """The raw file of the day before, where there is one: rule F03 judges completeness by it."""
    # dvc.yaml is about the window alone: a fresh clone has no file of a day before it.
    window_alone = getattr(wildcards, "window_alone", False)
    before = day_before(wildcards.date, WINDOW, params, None if window_alone else Path("data/raw"))
    return [f"data/raw/options_data_{before}.csv"] if before else []


def truth_of_a_simulated_market():
    """Only the simulated market knows what is true."""
    return {"truth": update("data/raw/options_data_{date}.truth.csv")} if params.source.kind == "simulated" else {}


def repaired_prices():
    """Only where params.yaml asks for them."""
    wanted = params.validation.repair != "none"
    return {"repaired": update("data/processed/repaired_data_{date}.csv")} if wanted else {}


def judged_so_far():
    """The arguments for what a person last trained, evaluated and deployed, as far as it is there."""
    given = [f"--{name} {path}" for name, path in JUDGED.items() if Path(path).is_file()]
    given += [f"--ledger {LEDGER}"] if Path(LEDGER).is_file() else []
    return " ".join([*given, "--plots reports/plots"] if Path("reports/plots").is_dir() else given)
