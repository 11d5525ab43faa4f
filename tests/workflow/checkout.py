"""A copy of the checkout with a tiny simulated market, in which whole workflows run."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PARTS = (
    "workflow",
    "scripts",
    "src",
    "examples",
    "params.yaml",
    "environment.yml",
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvcignore",
    ".gitignore",
)
TINY = {
    "days: 10": "days: 5",
    "density: normal": "density: tiny",
    "bootstrap: 2000": "bootstrap: 200",
    "max_iter: 80": "max_iter: 20",
    "protocols: [next_day, same_day, few_quotes]": "protocols: [next_day, same_day]",
    "first_wait: 1.0": "first_wait: 0.0",
}


class Checkout:
    """A folder in which the project's commands run as a person runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def copied(cls, root: Path, folder: Path) -> "Checkout":
        """Copy what git holds of the workflow, make the market tiny, and commit it to a repository of its own."""
        for part in PARTS:
            source, target = root / part, folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
            else:
                shutil.copy(source, target)
        checkout = cls(folder)
        text = (folder / "params.yaml").read_text()
        for usual, tiny in TINY.items():
            assert usual in text, usual
            text = text.replace(usual, tiny)
        (folder / "params.yaml").write_text(text)
        checkout.ok("snakemake", "dvc_yaml", "--quiet", "all")
        checkout.commit("a tiny market")
        return checkout

    def commit(self, message: str) -> None:
        """Commit everything that git does not ignore."""
        if not (self.folder / ".git").is_dir():
            self.run("git", "init", "--quiet", "--initial-branch", "main")
        self.run("git", "add", "--all")
        who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
        self.run("git", *who, "commit", "--quiet", "--message", message)

    def clone(self, folder: Path) -> "Checkout":
        """A fresh clone of what is committed."""
        subprocess.run(["git", "clone", "--quiet", str(self.folder), str(folder)], check=True)
        return Checkout(folder)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command here, with the tests' own Python first on the path, and give back what it said."""
        env = self.environment()
        if command[0] != "options-pricing":
            env.pop("PYTHONPATH")
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=600)

    def environment(self) -> dict[str, str]:
        """The variables of a command here; the installed command runs the code of this copy."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@example.invalid",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.invalid",
        }

    def ok(self, *command: str) -> str:
        """Run a command that must end well; its standard output and standard error."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def snakemake(self, *args: str) -> str:
        """Run Snakemake on two cores."""
        return self.ok("snakemake", "--cores", "2", *args)

    def jobs_to_run(self, *args: str) -> set[str]:
        """The rules that Snakemake would run now."""
        said = self.ok("snakemake", "--dry-run", "--quiet", "host", "--cores", "1", *args)
        return {line.split()[1].rstrip(":") for line in said.splitlines() if line.startswith(("rule ", "localrule "))}

    def made(self) -> dict[str, str]:
        """The SHA-256 of every file that the seven tasks made (logs and the ledger hold times, and are left out)."""
        folders = ("data", "model", "reports", "releases")
        files = [
            f for top in folders for f in sorted((self.folder / top).rglob("*")) if f.is_file() and not f.is_symlink()
        ]
        return {
            str(f.relative_to(self.folder)): hashlib.sha256(f.read_bytes()).hexdigest()
            for f in files
            if f.name != ".gitignore" and not f.name.startswith("ledger.")
        }
