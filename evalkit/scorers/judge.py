"""A judge that asks a model: which requests to send for a response, and what their answers come to.

    judge.ask(sample, (response,), run="1102-new")   -> one Request for each criterion and vote
    judge.read(sample, (response,), verdicts)        -> one Score for each criterion: judge:NAME or judge:NAME/criterion

Between the two stands any engine. One reply is read by verdict.py; what is sent is put together by judge_prompt.py.
"""

from collections.abc import Sequence

from evalkit.core.errors import InputError, Place
from evalkit.core.failure import Failure
from evalkit.core.judge import JudgeSpec
from evalkit.core.request import JudgeKey, Request, ResponseReference, Sampling
from evalkit.core.response import Response
from evalkit.core.sample import Sample
from evalkit.core.score import Score
from evalkit.scorers.judge_prompt import JudgePrompt, check_judge_prompt
from evalkit.scorers.rule import Found
from evalkit.scorers.score_names import score_name
from evalkit.scorers.votes import Vote, count_votes, gives_values, read_vote


class Judge:
    """A judge as it acts in one run: its spec, the name suites give it, and the digest of spec and model together."""

    unit = ""

    def __init__(self, spec: JudgeSpec, name: str, digest: str, place: Place | None = None):
        """Raises InputError for a spec that cannot be asked: recorded, for pairs, or with a wrong prompt."""
        if spec.method == "recorded":
            raise InputError(f"judge {name} is recorded: it asks no model", place)
        if spec.scale.kind == "preference" or spec.order == "swapped":
            raise InputError(
                f"judge {name} compares two responses, but a run holds one for each sample. Give it a scale for one "
                "response (binary, nominal, ordinal or interval) and `order: single`",
                place,
            )
        if spec.method == "label_logprobs" and spec.scale.kind == "interval":
            raise InputError(f"judge {name} reads the probabilities of labels, but an interval scale has none", place)
        check_judge_prompt(spec, place)
        self.spec = spec
        self.name = name
        self.digest = digest
        self.score_names = tuple(score_name(name, spec.criteria, criterion) for criterion in spec.criteria)
        """The names of the scores `read` gives, in the order of the criteria."""
        self.labels = () if gives_values(spec) else spec.scale.labels
        self._prompt = JudgePrompt(spec)
        self._samplings: dict[tuple[int, int], Sampling] = {}
        self._last_read: tuple[Response | None, Vote] = (None, read_vote(None, spec))

    def ask(self, sample: Sample, responses: tuple[Response, ...], *, run: str, retry: int = 0) -> tuple[Request, ...]:
        """One request for each criterion and vote; none for a response that failed.

        retry: how often it was asked before; > 0 adds a reminder of the form, and draws with another seed.
        """
        response = _only(responses)
        if response.failure is not None:
            return ()
        about = (ResponseReference(run=run, key=response.key, response_digest=response.digest),)
        return tuple(
            Request(
                key=response.key,
                judge_key=JudgeKey(judge=self.name, criteria=(criterion,), vote=vote, retry=retry),
                messages=self._prompt.messages(criterion, sample, response, retry=retry),
                sampling=self._sampling(vote, retry),
                answer_form=self._prompt.form,
                about=about,
            )
            for criterion in self.spec.criteria
            for vote in range(self.spec.votes)
        )

    def read(self, sample: Sample, responses: tuple[Response, ...], verdicts: Sequence[Response]) -> tuple[Score, ...]:
        """One score for each criterion.

        verdicts: answers to `ask`, of one try or of several: of each vote the last one that can be read counts. A vote
        without any answer is the system's failure (`not_asked`).
        """
        response = _only(responses)
        if response.failure is not None:
            return self.failed(response, response.failure)
        return tuple(self._score(response, criterion, verdicts) for criterion in self.spec.criteria)

    def failed(self, response: Response, failure: Failure) -> tuple[Score, ...]:
        """The scores of a response that could not be judged: one failure for each criterion."""
        return tuple(self._as_score(response, name, Found(failure=failure)) for name in self.score_names)

    def is_readable(self, verdict: Response) -> bool:
        """Whether one answer to `ask` holds a verdict; one that does not may be asked for again."""
        return not isinstance(self._read(verdict).said, Failure)

    def _score(self, response: Response, criterion: str, verdicts: Sequence[Response]) -> Score:
        votes = [self._vote(criterion, vote, verdicts) for vote in range(self.spec.votes)]
        name = score_name(self.name, self.spec.criteria, criterion)
        return self._as_score(response, name, count_votes([self._read(vote) for vote in votes], self.spec.scale))

    def _vote(self, criterion: str, vote: int, verdicts: Sequence[Response]) -> Response | None:
        """The answer that counts for one vote: the latest that can be read, else the latest; None = never asked."""
        mine = [
            verdict
            for verdict in verdicts
            if verdict.judge_key is not None
            and verdict.judge_key.criteria == (criterion,)
            and verdict.judge_key.vote == vote
        ]
        if len(mine) == 1:
            return mine[0]
        mine.sort(key=lambda verdict: verdict.judge_key.retry if verdict.judge_key else 0)
        readable = [verdict for verdict in mine if self.is_readable(verdict)]
        counting = readable or mine
        return counting[-1] if counting else None

    def _sampling(self, vote: int, retry: int) -> Sampling:
        """Votes and tries draw with seeds of their own, when a seed is set."""
        known = self._samplings.get((vote, retry))
        if known is not None:
            return known
        sampling = self.spec.sampling
        seed = None if sampling.seed is None else sampling.seed + retry * self.spec.votes + vote
        made = self._samplings[vote, retry] = sampling.model_copy(update={"seed": seed, "attempts": 1})
        return made

    def _read(self, verdict: Response | None) -> Vote:
        """What a reply says. It is asked for several times in a row: whether it can be read, then what it says."""
        if verdict is None or verdict is not self._last_read[0]:
            self._last_read = verdict, read_vote(verdict, self.spec)
        return self._last_read[1]

    def _as_score(self, response: Response, name: str, found: Found) -> Score:
        return Score(
            key=response.key,
            scorer=name,
            scorer_digest=self.digest,
            response_digests=(response.digest,),
            value=found.value,
            label=found.label,
            failure=found.failure,
            reason=found.reason,
        )


def _only(responses: tuple[Response, ...]) -> Response:
    """The one response that is judged."""
    if len(responses) != 1:
        raise ValueError(f"a judge of single responses was given {len(responses)}")
    return responses[0]
