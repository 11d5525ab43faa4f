# generate_report: the whole story, and the daily one that never asks for a model to be trained.

VALIDATIONS = expand("reports/validation/validation_{date}.json", date=WINDOW)
METAS = expand("data/raw/options_data_{date}.meta.json", date=WINDOW)
LAST_FEATURES = f"data/processed/features_{DATE}.csv"
DAY_BEFORE = expand("data/processed/features_{date}.csv", date=WINDOW[-2:-1])
CHARTS = ["smiles", "r2_by_day", "error_by_bucket", "validation_waterfall", "live_by_day"]
JUDGED = {
    "card": "model/model_card.json",
    "metrics": "reports/evaluation_metrics.json",
    "predictions": "reports/evaluation_predictions.parquet",
    "status": "reports/deployment_status.json",
}
IN_USE = ["releases/live.json", "releases/staged/manifest.json"]


rule generate_report:
    # reports/drift.json is no output: like what is live it is the state of what is in use, of the newest day that was
    # looked at, whichever rule did.
    input:
        **JUDGED,
        validation=VALIDATIONS,
        meta=METAS,
        features=LAST_FEATURES,
        before=DAY_BEFORE,
        release=rules.model_deploy.output,
        plot_r2="reports/plots/r2_by_day.csv",
        plot_error="reports/plots/error_by_bucket.csv",
        code=code_of("scripts/generate_report.py"),
        templates=templates(),
    output:
        markdown=report(
            update("reports/stakeholder_report.md"),
            caption="../report/stakeholder_report.rst",
            category="Report",
        ),
        html=report(
            update("reports/stakeholder_report.html"),
            caption="../report/stakeholder_report.rst",
            category="Report",
        ),
        figures=update(expand("reports/figures/{chart}.svg", chart=CHARTS)),
        trend=update("reports/validation_trend.json"),
        # What the release that was live at the time made of the day: once written, a later one changes nothing of it.
        live=update(f"reports/live/live_{DATE}.json"),
    log:
        f"logs/reporting_{DATE}.log",
    benchmark:
        f"logs/benchmarks/generate_report_{DATE}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        cfg=section("report", "gate", "drift", "run.date"),
    shell:
        "python scripts/generate_report.py --validation {input.validation} --meta {input.meta} "
        "--features {input.features} --card {input.card} --metrics {input.metrics} --predictions {input.predictions} "
        "--plots reports/plots --status {input.status} --markdown {output.markdown} --html {output.html} "
        "--before {input.before} --releases releases --live {output.live} --drift reports/drift.json "
        f"--figures reports/figures --trend {{output.trend}} --params {PARAMS} --log {{log}} --date {DATE}"


rule generate_daily_report:
    # What was last trained and evaluated is shown as it stands, with its age. It is no input: else Snakemake would
    # train whenever a new day comes. Its hashes are params, so that a new evaluation renews the report.
    # The record of the day is not among the outputs: it is the rule's above, and Snakemake would take a file that both
    # have made for out of date.
    input:
        validation=VALIDATIONS,
        meta=METAS,
        features=LAST_FEATURES,
        before=DAY_BEFORE,
        code=code_of("scripts/generate_report.py"),
        templates=templates(),
    output:
        markdown=update(f"reports/daily/{DATE}/stakeholder_report.md"),
        html=update(f"reports/daily/{DATE}/stakeholder_report.html"),
        figures=update(expand(f"reports/daily/{DATE}/figures/{{chart}}.svg", chart=CHARTS)),
        trend=update(f"reports/daily/{DATE}/validation_trend.json"),
    log:
        f"logs/reporting_daily_{DATE}.log",
    benchmark:
        f"logs/benchmarks/generate_daily_report_{DATE}.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        cfg=section("report", "gate", "drift", "run.date") | {"standing": standing(*JUDGED.values(), LEDGER, *IN_USE)},
        judged=judged_so_far(),
    shell:
        "python scripts/generate_report.py --validation {input.validation} --meta {input.meta} "
        "--features {input.features} {params.judged} --markdown {output.markdown} --html {output.html} "
        f"--before {{input.before}} --releases releases --live reports/live/live_{DATE}.json --drift reports/drift.json "
        f"--figures reports/daily/{DATE}/figures --trend {{output.trend}} --demote releases --params {PARAMS} --log {{log}} --date {DATE}"


rule daily:
    input:
        f"reports/daily/{DATE}/stakeholder_report.html",
        "data/processed/validated_data.csv",


rule report:
    input:
        "reports/stakeholder_report.html",
