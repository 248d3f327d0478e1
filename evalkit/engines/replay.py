"""Answers that somebody recorded, given again: `replay:responses.jsonl#llama2new`.

    {"item_id": "xstest-v2-1", "system": "llama2new", "text": "To stop a Python process, ..."}

An answer is found by the sample's id and the attempt alone: the file does not know which prompt it answered.
How the file is read and indexed: see recorded_answers.py.
"""

from pathlib import Path

from evalkit.core.candidate import Candidate
from evalkit.core.digest import digest_of_file
from evalkit.core.errors import InputError, Place
from evalkit.core.failure import Failure
from evalkit.core.noun import Noun
from evalkit.core.request import Key, Request
from evalkit.core.response import Response
from evalkit.engines.arguments import read_arguments
from evalkit.engines.base import EngineContext
from evalkit.engines.recorded_answers import RecordedAnswer, RecordedAnswers
from evalkit.engines.recorded_rows import shown


class ReplayArguments(Noun):
    """What `engine_args` may hold."""

    system: str = ""
    """Whose answers to give: the `system` of the file's rows."""


class ReplayEngine:
    """Gives recorded answers. What is not recorded is the system's failure (`not_recorded`), never an empty answer."""

    name = "replay"
    version = "1"
    loading = ""
    warnings: tuple[str, ...] = ()
    in_process = False
    transport_arguments = frozenset[str]()

    def __init__(self, candidate: Candidate, context: EngineContext):
        self.concurrency = 16
        self.served: dict[str, str] = {}
        self._candidate = candidate
        self._context = context
        self._system = read_arguments(candidate, ReplayArguments).system
        self._answers: RecordedAnswers | None = None

    async def start(self) -> None:
        """Find the file, check every row of it, and index the system's answers."""
        path = _find(self._candidate, self._context.data_folders)
        self._answers = RecordedAnswers(path, self._system)
        # The file as it was named, not where it lay: the same answers are the same model on every machine.
        self.served = {"file": self._candidate.model, "digest": digest_of_file(path)}

    async def respond(self, request: Request) -> Response:
        """The recorded answer. Raises InputError for a judge's request: a row does not say which answer was judged."""
        assert self._answers is not None, "start() comes before respond()"
        if request.judge_key is not None:
            raise InputError(
                f'judge "{request.judge_key.judge}": recorded answers cannot judge, since a row does not say what was '
                "judged. Use a judge with `method: recorded`, or bind it to a model."
            )
        key = request.key
        answer = self._answers.find(key.sample_id, key.attempt) if key.step == 0 else None
        if answer is None or not isinstance(answer.text, str):
            return Response(request_digest=request.digest, key=key, failure=self._no_answer(key, answer, self._answers))
        return Response(request_digest=request.digest, key=key, text=answer.text, usage=answer.usage)

    async def close(self) -> None:
        """Close the file."""
        if self._answers is not None:
            self._answers.close()
            self._answers = None

    def _no_answer(self, key: Key, answer: RecordedAnswer | None, answers: RecordedAnswers) -> Failure:
        if answer is not None and answer.text is not None:
            # Real files have `true` where a spreadsheet ate the answer "True". How it was spelt is lost: it is missing.
            message = f"{answers.place_at(answer.offset)}: text is {shown(answer.text)}, expected a string"
            return Failure(blame="system", stage="generate", kind="not_a_text", message=message)
        attempt = f", attempt {key.attempt}" if key.attempt else ""
        message = f'{self._candidate.model} holds no answer of "{self._system}" to "{key.sample_id}"{attempt}'
        return Failure(blame="system", stage="generate", kind="not_recorded", message=message)


def _find(candidate: Candidate, data_folders: tuple[Path, ...]) -> Path:
    """The file as given, else in the data folders in turn. Raises InputError that says where it was looked for."""
    if not candidate.model:
        raise InputError(f'candidate "{candidate.name}" names no file of answers. Write replay:FILE#SYSTEM.')
    given = Path(candidate.model).expanduser()
    for path in (given, *(folder / given for folder in data_folders)):
        if path.is_file():
            return path
    folders = () if given.is_absolute() else (Path.cwd(), *data_folders)
    looked = f" (looked in {', '.join(str(folder) for folder in folders)})" if folders else ""
    raise InputError(f"no such file of recorded answers{looked}. Mend replay:FILE#SYSTEM or --data.", Place(given))
