"""Models beside models: what a record says of a second and a third one."""

from dataclasses import replace

from gem.provenance import Provenance, with_another

OWN = Provenance("clip", "openai", "a" * 64)
DINO = Provenance("dino", "tag", "b" * 64, config="c" * 12)
SAM = Provenance("sam", "facebook/sam", "d" * 64, config="e" * 12)


def test_a_second_model_is_the_companion():
    assert with_another(OWN, SAM) == replace(OWN, companion=SAM)


def test_a_third_is_joined_with_it():
    found = with_another(replace(OWN, companion=DINO), SAM)
    assert replace(found, companion=None) == OWN
    joined = found.companion
    assert (joined.model, joined.source) == ("dino and sam", "tag and facebook/sam")
    assert (len(joined.sha256), len(joined.config)) == (64, 12)
    for change in ({"sha256": "0" * 64}, {"config": "0" * 12}, {"config": None}):
        for one, other in ((replace(DINO, **change), SAM), (DINO, replace(SAM, **change))):
            changed = with_another(replace(OWN, companion=one), other).companion
            assert (changed.sha256, changed.config) != (joined.sha256, joined.config)
    plain = [replace(one, config=None) for one in (DINO, SAM)]
    assert with_another(replace(OWN, companion=plain[0]), plain[1]).companion.config is None


def test_one_random_model_is_enough():
    random = replace(SAM, sha256=None)
    assert with_another(OWN, random).random
    assert with_another(replace(OWN, companion=DINO), random).random
    assert with_another(replace(OWN, companion=random), DINO).random
    assert not with_another(replace(OWN, companion=DINO), SAM).random
