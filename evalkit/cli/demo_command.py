"""`evalkit demo`: two small models, a judge, and a comparison that finds what was planted, on any machine."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from evalkit.cli.options import command_line, program
from evalkit.cli.progress import console_progress
from evalkit.cli.say import say
from evalkit.report.console import summary_lines
from evalkit.report.numbers import slice_text
from evalkit.runner.demo import PLANTED, SYSTEMS, DemoFailed, DemoOptions, DemoResult, run_demo

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Folder to write into; an earlier demo there is moved to previous/ in it.")
    ] = Path("runs/demo"),
    engine: Annotated[
        Literal["vllm", "transformers"] | None,
        typer.Option("--engine", help="vLLM where it is installed, else transformers."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a demo that was stopped.")] = False,
) -> None:
    """Measure a judge, ask two small models in twelve languages, compare them, and find what was planted."""
    result = run_demo(DemoOptions(out, engine, resume, command_line()), console_progress())
    _tell(result, out)


def _tell(result: DemoResult, out: Path) -> None:
    comparison = result.compared.comparison
    say("\n".join(summary_lines(comparison)))
    overall = next((line for line in result.card.fitness if not line.slice), None)
    say(f"\njudge: {overall.because if overall else 'its card decides nothing'} (labels by construction)")
    named = "; ".join(f"{metric} ({slice_text(where)})" for metric, where in result.found) or "nothing"
    if not result.as_planted:
        planted = "; ".join(f"{metric} ({slice_text(where)})" for metric, where in PLANTED)
        raise DemoFailed(
            f"the demo's verdict is {comparison.verdict} and names {named}; v2 was made worse in {planted} and nowhere "
            f"else. Please report this, with {out / 'comparison' / 'result.json'}"
        )
    say(f"\nv2 was made worse in two places, and the verdict names both and nothing else: {named}")
    say(f"report: {out / 'comparison' / 'report.html'}\njudge's card: {out / 'card' / 'card.html'}")
    say(_next_steps(result, out))


def _next_steps(result: DemoResult, out: Path) -> str:
    """How one's own model is asked the same questions."""
    judge = "" if result.engine == "vllm" else f" --judge demo={result.engine}:{result.judge_model}"
    command = f"{program()} release demo --cards {out / 'card'} --baseline {out / SYSTEMS[0]}{judge} --candidate"
    return (
        "\nyour own model, asked the same questions:\n"
        f"  {command} {result.engine}:PATH_OF_A_MODEL\n"
        f"  {command} openai:MODEL@http://localhost:8000/v1\n"
        "your own questions: docs/model-owner.md"
    )
