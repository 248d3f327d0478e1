"""What the strategies make up can be kept: strict JSON and back is the same record."""

import json

from hypothesis import given
from hypothesis import strategies as st

from evalkit.core.noun import Noun
from tests import strategies

nouns = st.one_of(
    strategies.keys(),
    strategies.judge_keys(),
    strategies.samples(),
    strategies.requests(),
    strategies.responses(),
    strategies.scores(),
    strategies.estimates(),
)


@given(nouns)
def test_a_made_up_record_survives_strict_json(noun: Noun) -> None:
    text = json.dumps(noun.model_dump(), allow_nan=False)
    assert type(noun).model_validate(json.loads(text)) == noun
