"""Records as hypothesis makes them up: many scripts, half surrogates, empty texts and failures included.

A half surrogate (`\\ud800`) is what a model writes when it is cut off in the middle of a character. JSON and the nouns
carry it, UTF-8 does not: what models write is made of `wild_texts`, what people write of `texts`.
"""

from typing import Any

from hypothesis import strategies as st

from evalkit.core.estimate import Estimate
from evalkit.core.failure import Failure
from evalkit.core.request import JudgeKey, Key, Request, Sampling
from evalkit.core.response import Response, Timing, Usage
from evalkit.core.sample import Sample
from evalkit.core.score import Score

SCRIPTS = st.sampled_from(
    [
        "",
        "yes",
        "no",
        "null",
        "NA",
        "مرحبا.",
        "किताब",
        "สวัสดี",
        "東京タワー",
        "👩‍👩‍👧",
        "e\u0301",
        "</script>",
        "=1+1",
        "{{ input }}",
        "\u202eabc",
    ]
)

numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
shares = st.floats(min_value=0, max_value=1)


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Whole Unicode texts, line breaks and many scripts included."""
    whole = st.text(st.characters(exclude_categories=["Cs"]), min_size=min_size, max_size=40)
    return st.one_of(whole, SCRIPTS.filter(lambda text: len(text) >= min_size))


def wild_texts() -> st.SearchStrategy[str]:
    """Texts that may hold half surrogates."""
    return st.text(st.characters(), max_size=20)


def identifiers() -> st.SearchStrategy[str]:
    """Ids as data files have them."""
    return st.one_of(st.text("abcxyz-_.@/0123456789", min_size=1, max_size=20), texts(min_size=1))


def json_values() -> st.SearchStrategy[Any]:
    """Anything strict JSON can hold, a few levels deep."""
    leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), numbers, texts())
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3))


def keys() -> st.SearchStrategy[Key]:
    return st.builds(
        Key, task=identifiers(), sample_id=identifiers(), attempt=st.integers(0, 9), step=st.integers(0, 3)
    )


def judge_keys() -> st.SearchStrategy[JudgeKey]:
    return st.builds(
        JudgeKey,
        judge=identifiers(),
        criteria=st.lists(identifiers(), max_size=3).map(tuple),
        vote=st.integers(0, 4),
        order=st.sampled_from(["", "ab", "ba"]),
    )


def samples() -> st.SearchStrategy[Sample]:
    return st.builds(
        Sample,
        id=identifiers(),
        input=texts(min_size=1),
        target=st.lists(texts(), max_size=3).map(tuple),
        language=st.none() | st.sampled_from(["en", "no", "ar", "zh-Hant", "na"]),
        cluster=st.none() | identifiers(),
        tags=st.dictionaries(identifiers(), texts(), max_size=3),
        metadata=st.dictionaries(identifiers(), json_values(), max_size=3),
    )


def samplings() -> st.SearchStrategy[Sampling]:
    return st.builds(
        Sampling,
        temperature=st.floats(0, 2),
        top_p=st.floats(0.01, 1),
        max_tokens=st.integers(1, 4096),
        seed=st.none() | st.integers(0, 2**31),
    )


def requests() -> st.SearchStrategy[Request]:
    message = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": texts()})
    return st.builds(
        lambda key, messages, sampling: Request.model_validate(
            {"key": key, "messages": messages, "sampling": sampling}
        ),
        keys(),
        st.lists(message, min_size=1, max_size=3),
        samplings(),
    )


def failures() -> st.SearchStrategy[Failure]:
    return st.builds(
        Failure,
        blame=st.sampled_from(["candidate", "judge", "system"]),
        stage=st.sampled_from(["generate", "judge", "read", "score"]),
        kind=st.sampled_from(["timeout", "http_500", "ran_out_of_tokens", "no_verdict"]),
        message=texts(),
    )


def responses() -> st.SearchStrategy[Response]:
    return st.builds(
        Response,
        request_digest=st.text("0123456789abcdef", min_size=32, max_size=32),
        key=keys(),
        text=texts() | wild_texts(),
        finish_reason=st.none() | st.sampled_from(["stop", "length"]),
        usage=st.builds(
            Usage, prompt_tokens=st.none() | st.integers(0, 9999), output_tokens=st.none() | st.integers(0, 999)
        ),
        timing=st.builds(Timing, e2e_s=st.none() | st.floats(0, 1000)),
        failure=st.none() | failures(),
    )


def scores() -> st.SearchStrategy[Score]:
    """Each holds exactly one of value, label and failure."""
    held = st.one_of(
        st.builds(lambda value: {"value": value}, numbers),
        st.builds(lambda label: {"label": label}, texts()),
        st.builds(lambda failure: {"failure": failure}, failures()),
    )
    return st.builds(
        lambda key, scorer, digest, held, reason: Score(
            key=key, scorer=scorer, scorer_digest=digest, reason=reason, **held
        ),
        keys(),
        identifiers(),
        st.text("0123456789abcdef", min_size=32, max_size=32),
        held,
        texts(),
    )


def estimates() -> st.SearchStrategy[Estimate]:
    """With a value and its interval, or undefined with a reason."""
    known = st.builds(
        lambda ends, n: Estimate(value=ends[1], low=ends[0], high=ends[2], n=n, unit="share", method="wilson"),
        st.lists(shares, min_size=3, max_size=3).map(sorted),
        st.integers(1, 9999),
    )
    undefined = st.builds(lambda reason: Estimate(value=None, n=0, reason=reason), texts(min_size=1))
    return known | undefined
