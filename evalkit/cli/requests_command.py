"""`evalkit requests export` and `import`: a run's requests as batch files, and their results back into the run."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.options import (
    DataFolders,
    Judges,
    Runs,
    ShardOption,
    bound_judges,
    chosen_shard,
    command_line,
    folders,
    program,
)
from evalkit.cli.progress import console_progress
from evalkit.cli.say import say
from evalkit.cli.tables import print_summary
from evalkit.content.candidates import load_candidate
from evalkit.content.suites import load_suite
from evalkit.core.errors import InputError
from evalkit.core.manifest import resuming
from evalkit.runner.batch_export import Exported, export_again, export_new
from evalkit.runner.batch_import import Imported, import_results
from evalkit.runner.command_text import without_options
from evalkit.runner.opened import open_run
from evalkit.runner.plan import Filter
from evalkit.runner.run import RunSettings, check_complete, prepare_run
from evalkit.store.rundir import RunDirectory

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="A run's requests as batch files (OpenAI's, vllm run-batch)."
)


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", help="File to write; numbered ones where one would be too large.")],
    suite: Annotated[str | None, typer.Argument(help="Name or path of a suite, for a new run.")] = None,
    candidate: Annotated[str | None, typer.Option("--candidate", help="As for `evalkit run`: vllm or HTTP.")] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="A run that is there: write what it is still to ask.")
    ] = None,
    judge: Judges = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most N samples of each task.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="Only these languages.")] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Only these tasks.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only samples with this tag.")] = None,
    shard: ShardOption = None,
    data: DataFolders = None,
    runs: Runs = Path("runs"),
    run_id: Annotated[str | None, typer.Option("--run-id", help="Name of the run directory.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run of this suite and candidate.")
    ] = False,
) -> None:
    """Plan a run and write its requests to a file, or those of --run (with --judge NAME: of that judge)."""
    if run is not None:
        if suite is not None or candidate is not None:
            raise InputError("--run names a run that is there: leave SUITE and --candidate out")
        print_exported(export_again(open_run(run, runs), out, _one_name(judge), console_progress()))
        return
    if suite is None or candidate is None:
        raise InputError("name SUITE and --candidate for a new run, or --run for one that is there")
    settings = RunSettings(
        runs=runs,
        run_id=run_id,
        judges=bound_judges(judge),
        data_folders=folders(data),
        filter=Filter(limit, tuple(language or ()), tuple(task or ()), tuple(tag or ()), chosen_shard(shard)),
        resume=resume,
        command=without_options(command_line(), ("--out",)).replace("requests export", "run", 1),
    )
    prepared = prepare_run(load_suite(suite, folders(data)), load_candidate(candidate), settings)
    # A suite outside the places where names are looked for has to be named again.
    again = ["--suite", suite] if Path(suite).exists() else []
    again += [text for folder in data or () for text in ("--data", str(folder))]
    print_exported(export_new(prepared, out, console_progress()), again)


@app.command("import")
def import_command(
    run: Annotated[str, typer.Argument(help="Run directory, or its id in the runs folder.")],
    results: Annotated[list[Path], typer.Argument(help="Output and error files of batches.")],
    suite: Annotated[
        str | None, typer.Option("--suite", help="Where the run's suite is; by its name by default.")
    ] = None,
    judge: Judges = None,
    data: DataFolders = None,
    runs: Runs = Path("runs"),
) -> None:
    """Take results into the run that they were exported from, and score what can be scored."""
    directory = open_run(run, runs)
    loaded = load_suite(suite or directory.manifest.suite.name, folders(data))
    settings = RunSettings(judges=bound_judges(judge), data_folders=folders(data))
    found = import_results(directory, loaded, results, settings, console_progress())
    print_summary(directory)
    print_imported(found, directory)
    if directory.manifest.status == "complete":
        check_complete(directory.manifest)


def print_exported(exported: Exported, again: Sequence[str] = ()) -> None:
    """What was written, what is not in it, and what comes next. again: options that the next command needs too."""
    directory = exported.directory
    if not exported.files:
        say(f"run {directory.path}: nothing is left to ask, no file was written")
        return
    say(f"run {directory.path}: {exported.requests:,} requests in {', '.join(str(file) for file in exported.files)}")
    if len(exported.files) > 1:
        say("in several files: a batch takes 50,000 requests and 200 MB at most; give each to a batch of its own")
    if exported.engine == "vllm":
        say(
            "to vLLM: "
            + shlex.join(["vllm", "run-batch", "-i", str(exported.files[0]), "-o", "results.jsonl"])
            + f" --model {shlex.quote(exported.model)} --generation-config vllm"
        )
    if exported.left_out:
        say(f"not in the file, to be set where it is sent: {'; '.join(exported.left_out)}")
    say("answers from batch files have no timing")
    say(f"then: {_call('requests', 'import', str(directory.path), 'results.jsonl', *again)}")


def print_imported(found: Imported, directory: RunDirectory) -> None:
    """What became of the results, and what comes next."""
    counted = {
        "answers": found.answers,
        "failures through the system's fault": found.failures,
        "known before": found.known,
        "about a request that another line is about": found.repeated,
        "with a custom_id that is none of this run's": found.unknown,
    }
    say(
        "results: " + ", ".join(f"{number:,} {what}" for what, number in counted.items() if number or what == "answers")
    )
    for file in found.torn:
        say(f"{file}: cut off in its last line, which was left out; fetch it again for the rest")
    if found.pending:
        say(f"{found.pending:,} requests have no answer yet: " + _two_ways(directory, None))
    for name, number in found.pending_by_judge.items():
        if number:
            say(f"judge {name} is to be asked {number:,} requests: " + _two_ways(directory, name))


def _two_ways(directory: RunDirectory, judge: str | None) -> str:
    named = ["--judge", judge] if judge else []
    export = _call("requests", "export", "--run", str(directory.path), *named, "--out", f"{judge or 'rest'}.jsonl")
    return f"{export}; or ask directly: {resuming(directory.manifest)}"


def _one_name(judge: list[str] | None) -> str | None:
    if judge is None:
        return None
    if len(judge) > 1 or "=" in judge[0]:
        raise InputError(f"--judge {' '.join(judge)}: with --run, name one judge of that run, without a model")
    return judge[0]


def _call(*arguments: str) -> str:
    return shlex.join([program(), *arguments])
