"""Records with the texts that break things: control characters, line ends, marks of direction, half surrogates."""

from hypothesis import strategies as st

from evalkit.core.failure import Failure
from evalkit.core.request import JudgeKey, Key
from evalkit.core.response import Response, Timing, Usage

AWKWARD = (
    "\u0000\u0009\u000a\u000d\u001f\u007f\u0085\u00a0\u200b\u200e\u202e\u2028\u2029\u2066\ufeff\ufffe"
    '\U0001f468\u200d\U0001f469\ud800\udfff\\"{}=,'
)

texts = st.one_of(
    st.text(alphabet=st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=())), max_size=30),
    st.text(max_size=30),
)


def json_values(integers: st.SearchStrategy[int]) -> st.SearchStrategy[object]:
    """Any JSON value, with integers as given."""
    numbers = integers | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        st.one_of(st.none(), st.booleans(), numbers, texts),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    )


counts = st.integers(min_value=0, max_value=2**63)

keys = st.builds(Key, task=texts, sample_id=texts, attempt=counts, step=counts)
judge_keys = st.builds(
    JudgeKey,
    judge=texts,
    criteria=st.lists(texts, max_size=2).map(tuple),
    vote=counts,
    order=st.sampled_from(["", "ab", "ba"]),
    retry=counts,
)
failures = st.builds(
    Failure,
    blame=st.sampled_from(["candidate", "judge", "system"]),
    stage=st.sampled_from(["generate", "judge", "read", "score"]),
    kind=texts,
    message=texts,
)
responses = st.builds(
    Response,
    request_digest=texts,
    key=keys,
    judge_key=st.none() | judge_keys,
    text=texts,
    reasoning=st.none() | texts,
    tool_calls=st.lists(st.dictionaries(texts, json_values(st.integers()), max_size=2), max_size=2).map(tuple),
    label_logprobs=st.none() | st.dictionaries(texts, st.floats(max_value=0, allow_infinity=False), max_size=2),
    finish_reason=st.none() | texts,
    usage=st.builds(Usage, prompt_tokens=st.none() | counts),
    timing=st.builds(Timing, e2e_s=st.none() | st.floats(0, 1e6)),
    failure=st.none() | failures,
)
