# data_fetch -> data_validate -> feature_engineer: one job per trading day.


rule data_fetch:
    # No code among the inputs: an edit of a script never downloads a past day again.
    output:
        **truth_of_a_simulated_market(),
        raw=update("data/raw/options_data_{date}.csv"),
        meta=update("data/raw/options_data_{date}.meta.json"),
        rates=update("data/raw/rates_{date}.csv"),
    log:
        "logs/data_fetch_{date}.log",
    benchmark:
        "logs/benchmarks/data_fetch_{date}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        cfg=section("source", "rates"),
    shell:
        "python scripts/data_fetch.py --out {output.raw} --rates {output.rates} "
        f"--params {PARAMS} --log {{log}} --date {{wildcards.date}}"


rule data_validate:
    input:
        raw="data/raw/options_data_{date}.csv",
        meta="data/raw/options_data_{date}.meta.json",
        rates="data/raw/rates_{date}.csv",
        previous=earlier_raw,
        code=code_of("scripts/data_validate.py"),
    output:
        **repaired_prices(),
        validated=update("data/processed/validated_data_{date}.csv"),
        quarantine=update("data/quarantine/quarantine_{date}.csv"),
        report=update("reports/validation/validation_{date}.json"),
    log:
        "logs/data_validate_{date}.log",
    benchmark:
        "logs/benchmarks/data_validate_{date}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        cfg=section("validation"),
    shell:
        "python scripts/data_validate.py --raw {input.raw} --previous {input.previous} --rates {input.rates} "
        "--out {output.validated} --repaired data/processed/repaired_data_{wildcards.date}.csv "
        f"--quarantine {{output.quarantine}} --report {{output.report}} --params {PARAMS} --log {{log}} "
        "--date {wildcards.date}"


rule feature_engineer:
    input:
        validated="data/processed/validated_data_{date}.csv",
        rates="data/raw/rates_{date}.csv",
        code=code_of("scripts/feature_engineer.py"),
    output:
        features=update("data/processed/features_{date}.csv"),
    log:
        "logs/feature_eng_{date}.log",
    benchmark:
        "logs/benchmarks/feature_engineer_{date}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        cfg=section("features"),
    shell:
        "python scripts/feature_engineer.py --validated {input.validated} --rates {input.rates} "
        "--out {output.features} "
        f"--params {PARAMS} --log {{log}} --date {{wildcards.date}}"


rule fetch:
    input:
        expand("data/raw/options_data_{date}.csv", date=WINDOW),


rule validate:
    input:
        expand("data/processed/validated_data_{date}.csv", date=WINDOW),


rule features:
    input:
        expand("data/processed/features_{date}.csv", date=WINDOW),


rule newest_validated:
    input:
        f"data/processed/validated_data_{DATE}.csv",
    output:
        "data/processed/validated_data.csv",
    log:
        f"logs/newest_validated_{DATE}.log",
    conda:
        "../../environment.yml"
    params:
        target=f"validated_data_{DATE}.csv",
    shell:
        "ln -sfn {params.target} {output} 2> {log}"
