# model_train -> { model_evaluate, model_deploy }: in human hands, never part of `daily`.

SERVED = [f"src/options_pricing/serving/{program}.py" for program in ("api", "dashboard", "gunicorn_settings")]
# Written to by these three, an output of none: it is only ever added to.
LEDGER = "releases/ledger.jsonl"
FEATURES = expand("data/processed/features_{date}.csv", date=WINDOW)


rule model_train:
    input:
        features=FEATURES,
        code=code_of("scripts/model_train.py"),
    output:
        model=update("model/options_pricing_model.pkl"),
        card=update("model/model_card.json"),
    log:
        f"logs/model_train_{DATE}.log",
    benchmark:
        f"logs/benchmarks/model_train_{DATE}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        cfg=section("train"),
    shell:
        "python scripts/model_train.py --features {input.features} --model {output.model} --card {output.card} "
        f"--ledger {LEDGER} --params {PARAMS} --log {{log}} --date {DATE}"


rule model_evaluate:
    input:
        features=FEATURES,
        model="model/options_pricing_model.pkl",
        card="model/model_card.json",
        code=code_of("scripts/model_evaluate.py"),
    output:
        metrics=update(["reports/evaluation_metrics.json", "reports/chosen_model_metrics.json"]),
        predictions=update("reports/evaluation_predictions.parquet"),
        plot_r2=update("reports/plots/r2_by_day.csv"),
        plot_error=update("reports/plots/error_by_bucket.csv"),
    log:
        f"logs/model_eval_{DATE}.log",
    benchmark:
        f"logs/benchmarks/model_evaluate_{DATE}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        cfg=section("evaluate"),
    shell:
        "python scripts/model_evaluate.py --features {input.features} --model {input.model} --card {input.card} "
        "--metrics {output.metrics[0]} --chosen {output.metrics[1]} "
        "--predictions {output.predictions} --plots reports/plots "
        f"--ledger {LEDGER} --params {PARAMS} --log {{log}} --date {DATE}"


rule model_deploy:
    # It stages a release and tries it; making it live is a person's act.
    input:
        model="model/options_pricing_model.pkl",
        card="model/model_card.json",
        # The API and the app are programs of their own, started and not imported.
        code=code_of("scripts/model_deploy.py", *SERVED),
    output:
        status=update("reports/deployment_status.json"),
        manifest=update("releases/staged/manifest.json"),
        model=update("releases/staged/options_pricing_model.pkl"),
        card=update("releases/staged/model_card.json"),
        signature=update("releases/staged/signature.json"),
    log:
        f"logs/deployment_{DATE}.log",
    benchmark:
        f"logs/benchmarks/model_deploy_{DATE}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        cfg=section("deploy"),
    shell:
        "python scripts/model_deploy.py --model {input.model} --card {input.card} --release releases/staged "
        f"--status {{output.status}} --ledger {LEDGER} --params {PARAMS} --log {{log}} --date {DATE}"


rule train:
    input:
        "model/options_pricing_model.pkl",


rule evaluate:
    input:
        "reports/evaluation_metrics.json",


rule deploy:
    input:
        "reports/deployment_status.json",
