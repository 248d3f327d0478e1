"""Make the requests of a task's samples: one per attempt, with all that is sent.

sample "q1", task with a prompt and 2 attempts -> Request(key=(task, q1, 0)), Request(key=(task, q1, 1))
"""

from collections.abc import Callable, Iterator

from evalkit.core.candidate import Candidate
from evalkit.core.errors import InputError
from evalkit.core.message import Message
from evalkit.core.prompt import fill_prompt, placeholders
from evalkit.core.request import Key, Request, Sampling
from evalkit.core.sample import Sample
from evalkit.core.suite import Task


class RequestMaker:
    """Makes one task's requests to one candidate; what is the same in all of them is made once."""

    def __init__(self, task: Task, candidate: Candidate):
        self._task = task
        self._tools = candidate.tools
        self._head = (Message(role="system", content=candidate.system_prompt),) if candidate.system_prompt else ()
        self._samplings = tuple(_sampling_of_attempts(sampling_of(task, candidate)))

    def requests_of(self, sample: Sample) -> Iterator[Request]:
        """One per attempt. Raises InputError for a column that the prompt names and the sample has not."""
        messages = self._head + self._messages_of(sample)
        for attempt, sampling in enumerate(self._samplings):
            yield Request(
                key=Key(task=self._task.name, sample_id=sample.id, attempt=attempt),
                messages=messages,
                tools=sample.tools or self._tools,
                sampling=sampling,
            )

    def _messages_of(self, sample: Sample) -> tuple[Message, ...]:
        """The sample's conversation, or its input through the task's prompt."""
        if sample.messages:
            return sample.messages
        prompt = self._task.prompt
        text = sample.input if prompt is None else fill_prompt(prompt, sample_values(sample, prompt))
        return (Message(role="user", content=text),)


def sampling_of(task: Task, candidate: Candidate) -> Sampling:
    """The task's sampling with what the candidate overrides."""
    return task.sampling.model_copy(update=candidate.sampling.model_dump(exclude_none=True))


def _sampling_of_attempts(sampling: Sampling) -> Iterator[Sampling]:
    for attempt in range(sampling.attempts):
        seed = None if sampling.seed is None else sampling.seed + attempt
        yield sampling.model_copy(update={"seed": seed})


def sample_values(sample: Sample, template: str) -> dict[str, str]:
    """What a prompt's names stand for in one sample. Raises InputError for a column this sample has not."""
    filled: dict[str, Callable[[], str]] = {
        "input": lambda: sample.input,
        "target": lambda: "\n".join(sample.target),
        "language": lambda: sample.language or "",
        "source_language": lambda: sample.source_language or "",
        "choices": lambda: "\n".join(f"{chr(65 + place)}. {choice}" for place, choice in enumerate(sample.choices)),
    }
    return {name: filled[name]() if name in filled else _column_value(sample, name) for name in placeholders(template)}


def _column_value(sample: Sample, name: str) -> str:
    value = sample.column(name)
    if value is None:
        raise InputError(f"sample {sample.id}: the prompt asks for {{{{ {name} }}}}, which this sample does not have")
    return value
