"""Observations become vectors as Gymnasium flattens them, vectors become actions the space has, the rest is refused."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import pickle
import warnings
from collections import defaultdict, deque
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synaptick import InputError, SpaceError
from synaptick.spaces import ActionSpec, ObservationSpec

FLOATS, WHOLES = (np.float16, np.float32, np.float64), (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64)
OFTEN = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
SHAPES = st.lists(st.integers(1, 3), max_size=3).map(tuple)


@st.composite
def boxes(draw: st.DrawFn) -> spaces.Box:
    shape, dtype = draw(SHAPES), draw(st.sampled_from([*FLOATS, *WHOLES, np.bool_]))
    if dtype is np.bool_:
        return spaces.Box(0, 1, shape, dtype)
    size = int(np.prod(shape))
    if dtype in FLOATS:
        some = st.floats(-60000, 60000, width=16) | st.just(0.1).map(lambda x: float(dtype(x)))
        pairs = [sorted(draw(st.tuples(some, some))) for _ in range(size)]
        low, high = (np.array([pair[k] for pair in pairs], dtype).reshape(shape) for k in (0, 1))
        low = np.where(draw(st.booleans()), low, -np.inf).astype(dtype)
        high = np.where(draw(st.booleans()), high, np.inf).astype(dtype)
        return spaces.Box(low, high, shape, dtype)
    limits = np.iinfo(dtype)
    low, high = sorted(draw(st.tuples(*[st.integers(limits.min, min(limits.max, 2**63 - 2))] * 2)))
    narrow = (low, min(low + draw(st.integers(1, 70_000)), limits.max, 2**63 - 2))
    ends = draw(st.sampled_from([(low, high), narrow, (limits.min, min(limits.max, 2**63 - 2)), (low, low)]))
    if limits.min < 0 and draw(st.booleans()):
        return spaces.Box(-np.inf, np.inf, shape, dtype)
    return spaces.Box(*ends, shape, dtype)


@st.composite
def multi_discretes(draw: st.DrawFn) -> spaces.MultiDiscrete:
    shape = draw(SHAPES)
    nvec, start = (
        np.array(draw(st.lists(values, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))).reshape(shape)
        for values in (st.integers(1, 5), st.integers(-9, 9))
    )
    return spaces.MultiDiscrete(nvec, draw(st.sampled_from([np.int64, np.int32, np.int8])), start=start)


LEAVES = (
    boxes()
    | multi_discretes()
    | st.builds(spaces.Discrete, st.integers(1, 6), start=st.integers(-9, 9))
    | SHAPES.map(lambda shape: spaces.MultiBinary(shape or 2))
)
SPACES = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, min_size=1, max_size=3).map(spaces.Dict)
        | st.lists(inner, min_size=1, max_size=3).map(spaces.Tuple)
    ),
    max_leaves=5,
)


def flat(space: Any, value: Any) -> Any:
    """Return Gymnasium's encoding, each Box of integers with bounds scaled to 0 to 1."""
    if isinstance(space, spaces.Dict):
        return np.concatenate([flat(part, value[key]) for key, part in space.items()])
    if isinstance(space, spaces.Tuple):
        return np.concatenate([flat(part, value[k]) for k, part in enumerate(space)])
    found = spaces.flatten(space, value).astype(np.float64)
    if isinstance(space, spaces.Box) and space.dtype.kind in "iu":
        low, high = int(space.low.flat[0]), int(space.high.flat[0])
        limits = np.iinfo(space.dtype)  # of 32 bits or more they are no bounds
        open_ended = space.dtype.itemsize >= 4 and (low == limits.min or high == limits.max)
        bounded = space.bounded_below.all() and space.bounded_above.all() and high - low < 2**32
        if bounded and not open_ended:
            found = (found - float(low)) / max(high - low, 1)
    return found


def continuous(space: Any) -> list[bool]:
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.values() if isinstance(space, spaces.Dict) else space
        return [entry for part in parts for entry in continuous(part)]
    return [isinstance(space, spaces.Box) and space.dtype != bool] * spaces.flatdim(space)


@given(SPACES, st.integers(0, 2**32))
@OFTEN
def test_an_observation_is_encoded_as_gymnasium_flattens_it(space: Any, seed: int) -> None:
    spec = ObservationSpec.from_space(space)
    assert spec.size == spaces.flatdim(space)
    assert spec.standardized.tolist() == continuous(space)
    space.seed(seed)
    for _ in range(3):
        value, out = space.sample(), np.full(spec.size, np.nan)
        spec.encode(value, out)
        np.testing.assert_array_equal(out, flat(space, value))


@given(SPACES, st.data())
@OFTEN
def test_whatever_is_decoded_is_an_action_of_the_space(space: Any, data: st.DataObject) -> None:
    spec = ActionSpec.from_space(space)
    indices = [data.draw(st.integers(0, count - 1)) for count in spec.choices]
    inside = [
        data.draw(st.floats(max(low, -1e300), min(high, 1e300)) | st.sampled_from([max(low, -1e300), min(high, 1e300)]))
        for low, high in zip(spec.low, spec.high, strict=True)
    ]
    beyond = [value * (1 + 1e-12 * data.draw(st.sampled_from([-1, 0, 1]))) for value in inside]
    assert spec.controls == len(spec.low) == len(spec.high)
    assert len(spec.choices) + spec.controls > 0
    for controls in (inside, beyond):
        values = np.array([*indices, *controls], np.float64)
        first, second = spec.decode(values), spec.decode(values)
        assert space.contains(first)
        for one, other in zip(arrays(first), arrays(second), strict=True):
            assert not np.shares_memory(one, other)
    index = iter(indices)
    check_indices(space, first, index)
    assert next(index, None) is None


def arrays(action: Any) -> list[Any]:
    if isinstance(action, dict | tuple):
        return [one for part in (action.values() if isinstance(action, dict) else action) for one in arrays(part)]
    return [action] if isinstance(action, np.ndarray) else []


def check_indices(space: Any, action: Any, index: Any) -> None:
    """Each category of `action` is the next index, counted from the start of its space."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for key in space if isinstance(space, spaces.Dict) else range(len(space)):
            check_indices(space[key], action[key], index)
    elif isinstance(space, spaces.Discrete):
        assert type(action) is space.dtype.type
        assert action - space.start == next(index)
    elif isinstance(space, spaces.MultiDiscrete):
        assert (action - space.start).ravel().tolist() == [next(index) for _ in range(action.size)]
    elif isinstance(space, spaces.MultiBinary) or space.dtype == bool:
        assert action.ravel().tolist() == [next(index) for _ in range(action.size)]


@given(SPACES)
@OFTEN
def test_specs_survive_strict_json_and_copies(space: Any) -> None:
    for kind in (ObservationSpec, ActionSpec):
        spec: Any = kind.from_space(space)
        text = json.dumps(spec.to_dict(), allow_nan=False)
        for again in (
            kind.from_dict(json.loads(text)),
            kind.from_space(copy.deepcopy(space)),
            pickle.loads(pickle.dumps(spec)),
        ):
            assert again == spec
            assert hash(again) == hash(spec)
    assert ActionSpec.from_dict(json.loads(text)).low == spec.low
    assert ActionSpec.from_dict(json.loads(text)).choices == spec.choices


def test_whole_numbers_with_bounds_are_scaled() -> None:
    def encode(space: Any, value: Any) -> list[float]:
        spec = ObservationSpec.from_space(space)
        out = np.empty(spec.size)
        spec.encode(np.asarray(value), out)
        return out.tolist()

    assert encode(spaces.Box(0, 255, (3,), np.uint8), [0, 51, 255]) == [0.0, 0.2, 1.0]
    assert encode(spaces.Box(-2, 2, (2,), np.int64), [-1, 2]) == [0.25, 1.0]
    assert encode(spaces.Box(0, 10**9, (2,), np.int64), [0, 10**8]) == [0.0, 0.1]
    assert encode(spaces.Box(np.array([0, 0]), np.array([4, 10**9]), dtype=np.int64), [1, 10**8]) == [0.25, 0.1]
    assert encode(spaces.Box(-np.inf, np.inf, (1,), np.int32), [7]) == [7.0]
    assert encode(spaces.Box(5, 5, (1,), np.int32), [5]) == [0.0]


# ---- actions by hand


def test_controls_are_rounded_and_clipped_in_the_numbers_of_the_space() -> None:
    def decode(space: Any, *values: float) -> Any:
        return ActionSpec.from_space(space).decode(np.array(values))

    np.testing.assert_array_equal(decode(spaces.Box(-1, 2, (2,)), 0.5, 7.0), np.float32([0.5, 2.0]))
    np.testing.assert_array_equal(decode(spaces.Box(-5, 5, (1, 3), np.int16), -0.6, 1.4, 9.9), [[-1, 1, 5]])
    assert decode(spaces.Box(0, 1, (), np.float16), 0.25).shape == ()
    assert decode(spaces.Box(-np.inf, np.inf, (1,), np.float16), 1e9) == np.finfo(np.float16).max
    most = 2**63 - 2
    assert decode(spaces.Box(0, most, (1,), np.int64), float(2**63))[0] == most  # 2^63 is no int64
    constant = spaces.Box(np.float32([0.1, -1]), np.float32([0.1, 1]))
    assert decode(constant, 0.1, 0.3)[0] == np.float32(0.1)
    below = spaces.Box(-np.inf, 3.0, (1,), np.float64)
    assert (ActionSpec.from_space(below).low, ActionSpec.from_space(below).high) == ((-np.inf,), (3.0,))


def test_factors_come_before_controls_in_the_order_of_the_space() -> None:
    space = spaces.Tuple(
        [spaces.Box(-9, 9, (2,)), spaces.Discrete(3, start=5), spaces.Dict(b=spaces.MultiBinary(2), a=spaces.Box(0, 1))]
    )
    spec = ActionSpec.from_space(space)
    assert (spec.choices, spec.controls, spec.simple, spec.members.size) == ((3, 2, 2), 3, False, 0)
    assert (spec.low, spec.high) == ((-9.0, -9.0, 0.0), (9.0, 9.0, 1.0))
    box, index, nested = spec.decode(np.array([2, 1, 0, -4.0, 4.0, 0.5]))
    assert (box.tolist(), index, nested["b"].tolist(), nested["a"].tolist()) == ([-4.0, 4.0], 7, [1, 0], [0.5])


def test_a_single_discrete_is_simple() -> None:
    spec = ActionSpec.from_space(spaces.Discrete(4, start=-2))
    assert (spec.simple, spec.members.tolist(), spec.choices, spec.controls) == (True, [-2, -1, 0, 1], (4,), 0)
    assert not ActionSpec.from_space(spaces.MultiDiscrete([4])).simple
    assert not ActionSpec.from_space(spaces.Tuple([spaces.Discrete(4, start=3)])).simple


# ---- observations that do not fit


class OwnSpace(spaces.Space[Any]):
    """A kind of space that nobody knows."""


NESTED = spaces.Dict(
    camera=spaces.Tuple([spaces.Box(0, 255, (2, 2), np.uint8), spaces.Discrete(3, start=1)]),
    keys=spaces.MultiBinary(2),
    gears=spaces.MultiDiscrete([2, 3], start=[0, -1]),
)
GOOD: dict[str, Any] = {"camera": (np.zeros((2, 2), np.uint8), 2), "keys": [0, 1], "gears": [1, -1]}
BAD: list[tuple[Any, str]] = [
    (3, r"observation is 3; the space needs a mapping with keys 'camera', 'keys', 'gears'"),
    ({"camera": GOOD["camera"], "keys": [0, 1]}, r"observation\['gears'\] is missing; the space needs keys"),
    ({**GOOD, "more": 1}, r"observation\['more'\] is not in the space, whose keys are"),
    ({**GOOD, "camera": (1, 2, 3)}, r"observation\['camera'\] is \(1, 2, 3\); the space needs a tuple of 2 parts"),
    ({**GOOD, "camera": "ab"}, r"observation\['camera'\] is 'ab'; the space needs a tuple of 2 parts"),
    (
        {**GOOD, "camera": (np.zeros(4), 2)},
        r"observation\['camera'\]\[0\] has shape \(4,\); the space needs shape \(2, 2\)",
    ),
    (
        {**GOOD, "camera": (GOOD["camera"][0], 4)},
        r"observation\['camera'\]\[1\] 4 is outside the space; the space needs one from 1 to 3",
    ),
    ({**GOOD, "camera": ([["x"] * 2] * 2, 2)}, r"observation\['camera'\]\[0\] .* is not an array of numbers"),
    ({**GOOD, "keys": [0, 2]}, r"observation\['keys'\] is \[0, 2\]; the space needs zeros and ones of shape \(2,\)"),
    ({**GOOD, "gears": [0, 2]}, r"observation\['gears'\]\[1\] 2 is outside the space; .* from -1 to 1"),
    ({**GOOD, "gears": [-1, 0]}, r"observation\['gears'\]\[0\] -1 is outside the space; .* from 0 to 1"),
    ({**GOOD, "gears": [0.0, 1.0]}, r"observation\['gears'\] \[0.0, 1.0\] is not of integers"),
    ({**GOOD, "gears": np.zeros((9, 9))}, r"observation\['gears'\] has shape \(9, 9\); the space needs shape \(2,\)"),
]


@pytest.mark.parametrize(("observation", "said"), BAD)
def test_an_observation_that_does_not_fit_is_named_by_its_part_and_nothing_is_written(
    observation: Any, said: str
) -> None:
    spec = ObservationSpec.from_space(NESTED)
    out = np.full(spec.size, 7.0)
    with pytest.raises(InputError, match=said) as caught:
        spec.encode(observation, out)
    assert len(str(caught.value).splitlines()) == 1
    assert (out == 7.0).all()
    spec.encode(GOOD, out)
    np.testing.assert_array_equal(out, [0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0])


def test_boxes_take_booleans_and_leave_what_is_not_finite_to_the_kernel() -> None:
    spec, out = ObservationSpec.from_space(spaces.Box(-1, 1, (3,))), np.zeros(3)
    spec.encode([True, False, np.nan], out)
    np.testing.assert_array_equal(out, [1, 0, np.nan])


# ---- whatever Gymnasium calls a member of a space


def odd(space: Any, value: Any, draw: Any) -> Any:
    """Return a sample in another type; not all that come out are members."""
    if isinstance(space, spaces.Dict):
        return {key: odd(part, value[key], draw) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        parts = [odd(part, value[k], draw) for k, part in enumerate(space)]
        return draw(st.sampled_from([tuple, list]))(parts)
    if isinstance(space, spaces.Discrete):
        kinds = [int, bool, np.int8, np.uint8, np.int64, np.uint64, np.bool_, np.array, lambda x: np.array(x, np.int16)]
        kinds += [float, np.float64, lambda x: np.array([x])]
        with np.errstate(all="ignore"), contextlib.suppress(OverflowError):
            return draw(st.sampled_from(kinds))(value)
        return value
    kinds = [np.ndarray.tolist, lambda x: np.asarray(x, object), lambda x: np.asarray(x > 0), np.asfortranarray]
    kinds += [lambda x, to=to: x.astype(to) for to in (bool, np.int8, np.float16, np.float32, np.float64, ">f4")]
    kinds += [lambda x: [Fraction(float(k)) for k in x.ravel()], lambda x: bytearray(x.astype(np.uint8).tobytes())]
    kinds += [lambda x: deque(x.tolist()), lambda x: np.ma.masked_array(x), lambda x: tuple(x.tolist())]
    kinds += [lambda x: x.view(type("Own", (np.ndarray,), {}))]
    with np.errstate(all="ignore"):
        return draw(st.sampled_from(kinds))(np.atleast_1d(value) if draw(st.booleans()) else value)


@given(SPACES, st.integers(0, 2**32), st.data())
@settings(OFTEN, max_examples=400)
def test_whatever_is_a_member_is_encoded(space: Any, seed: int, data: st.DataObject) -> None:
    spec = ObservationSpec.from_space(space)
    space.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Gymnasium, which casts what is no array
        try:
            value = odd(space, space.sample(), data.draw)
            member = space.contains(value)
        except (TypeError, ValueError, OverflowError, AttributeError):  # nothing of that kind, or `contains` fails
            return
        out = np.full(spec.size, np.nan)
        if member:
            spec.encode(value, out)
            assert np.isfinite(out).all()
            return
        with contextlib.suppress(InputError):  # what is none may be taken, but then as numbers
            spec.encode(value, out)


def test_members_that_once_were_refused() -> None:
    for space, value, seen in (
        (spaces.Discrete(2), True, [0, 1]),
        (spaces.Discrete(2), np.False_, [1, 0]),
        (spaces.MultiDiscrete([2, 3]), np.array([True, False]), [0, 1, 1, 0, 0]),
        (spaces.Box(-1, 1, (2,)), [Fraction(1, 2), 1], [0.5, 1]),
        (spaces.Box(-np.inf, np.inf, (1,), np.float64), [2**70], [2.0**70]),
        (spaces.Box(0, 1, (2,), bool), [5, 0], [1, 0]),
        (spaces.MultiBinary(2), np.array([0, 1], object), [0, 1]),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Gymnasium, which casts what is no array
            assert space.contains(value) or isinstance(value, np.bool_)
        spec = ObservationSpec.from_space(space)
        out = np.zeros(spec.size)
        spec.encode(value, out)
        assert out.tolist() == seen


class Hostile:
    """Raises whatever is asked of it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self.error

    __repr__ = __float__ = __len__ = __iter__ = __array__


@pytest.mark.parametrize("space", [spaces.Box(0, 1, (2,)), spaces.Discrete(2), spaces.MultiBinary(2), NESTED], ids=str)
@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError(), KeyError(1), RecursionError()], ids=repr)
def test_an_object_that_fails_when_it_is_read_is_refused(space: Any, error: Exception) -> None:
    spec = ObservationSpec.from_space(space)
    wrapped = np.empty((), object)
    wrapped[()] = Hostile(error)
    for value in (Hostile(error), wrapped, defaultdict(lambda: Hostile(error), GOOD)):
        with pytest.raises(InputError) as caught:
            spec.encode(value if not isinstance(value, dict) else value | {"keys": Hostile(error)}, np.zeros(spec.size))
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_discrete_actions_are_of_the_type_that_is_sampled(dtype: Any) -> None:
    limits = np.iinfo(dtype)
    for start in (max(limits.min, -(2**62)), 5, min(limits.max, 2**63 - 1) - 2):
        space = spaces.Discrete(3, start=start, dtype=dtype)
        for whole in (space, spaces.Dict(a=space), spaces.Tuple([space])):
            spec = ActionSpec.from_space(whole)
            for index in range(3):
                action, sample = spec.decode(np.array([float(index)])), whole.sample()
                assert whole.contains(action)
                if whole is not space:
                    action, sample = (next(iter(x.values())) if isinstance(x, dict) else x[0] for x in (action, sample))
                assert type(action) is type(sample)
                assert action.item() == start + index


# ---- spaces that are refused


def deep(space: Any, levels: int) -> Any:
    for _ in range(levels):
        space = spaces.Dict(a=space)
    return space


def within_itself() -> Any:
    space = spaces.Dict(a=spaces.Discrete(2))
    space.spaces["a"] = space
    return space


def changed(space: Any, **attributes: Any) -> Any:
    """Return a space that nobody has checked."""
    for name, value in attributes.items():
        vars(space)["_" + name if name == "dtype" and hasattr(space, "_dtype") else name] = value
    return space


WORDS = spaces.Text(5)
REFUSED: list[tuple[Any, str]] = [
    (WORDS, r"{} is of kind Text, "),
    (spaces.Sequence(spaces.Discrete(2)), r"{} is of kind Sequence, "),
    (spaces.Graph(spaces.Box(0, 1), None), r"{} is of kind Graph, "),
    (spaces.OneOf([spaces.Discrete(2)]), r"{} is of kind OneOf, "),
    (spaces.Dict(a=spaces.Discrete(2), b=spaces.Tuple([WORDS])), r"{}\['b'\]\[0\] is of kind Text, "),
    (spaces.Tuple([spaces.Discrete(2), OwnSpace()]), r"{}\[1\] is of kind OwnSpace, "),
    (None, r"{} is of kind NoneType, "),
    (4, r"{} is of kind int, "),
    (spaces.Box(-1, 1, (0,)), r"the {} space has no elements"),
    (spaces.Dict(), r"the {} space has no elements"),
    (spaces.Tuple([spaces.Dict(a=spaces.Box(-1, 1, (2, 0)))]), r"the {} space has no elements"),
    (spaces.Discrete(10**12), r"the {} space has 10+ entries, at most 10000000 are allowed; make it smaller"),
    (spaces.MultiDiscrete([10**9, 2]), r"the {} space has 10+2 entries, at most"),
    (spaces.MultiDiscrete([2**62] * 4), r"the {} space has 18446744073709551616 entries, at most"),
    (spaces.Dict({(1, 2): WORDS, 3.0: WORDS}, sort_keys=False), r"{}\[\(1, 2\)\] is of kind Text, "),
    (deep(spaces.Discrete(2), 40), r"{}\['a'\].* lies 33 deep, at most 32 are allowed"),
    (within_itself(), r"{}\['a'\].* lies 33 deep, at most 32 are allowed"),
    (changed(spaces.Discrete(3), n=0), r"{} has a low above its high"),
    (changed(spaces.Discrete(3), n=None), r"the {} space cannot be read \(TypeError: "),
    (changed(spaces.Discrete(3), dtype=np.dtype(np.float32)), r"{} has the dtype float32"),
    (changed(spaces.Discrete(3, start=126), dtype=np.dtype(np.int8)), r"{} has values that its dtype int8 cannot hold"),
    (changed(spaces.Box(0, 1, (2,)), low=np.zeros(3)), r"{} (space cannot be read|has shape)"),
    (changed(spaces.Dict(), spaces=5), r"the {} space cannot be read \(TypeError: "),
    (spaces.Box(0, 1, (20_000, 1000), np.uint8), r"the {} space has 20000000 entries, at most"),
    (spaces.Dict({(1, 2): spaces.Discrete(2)}), r"{} has the key \(1, 2\); give its parts names"),
]


@pytest.mark.parametrize(("space", "said"), REFUSED, ids=lambda value: type(value).__name__)
def test_other_spaces_are_refused_by_name_in_one_line(space: Any, said: str) -> None:
    for kind, name in ((ObservationSpec, "observation"), (ActionSpec, "action")):
        with pytest.raises(SpaceError, match=said.format(name)) as caught:
            kind.from_space(space)
        assert len(str(caught.value).splitlines()) == 1


def test_a_refusal_shows_the_wrapper_that_helps() -> None:
    mixed = spaces.Dict(a=spaces.Discrete(2), b=WORDS, c=spaces.Box(0, 1), d=spaces.Tuple([WORDS]))
    for space, said in (
        (mixed, r"\(so are observation\['d'\]\[0\]\).*\[{gymnasium.wrappers:FilterObservation: {filter_keys: "
                r"\['a', 'c'\]}}\]$"),
        (spaces.Tuple([WORDS, spaces.Discrete(2)]), r"FilterObservation: {filter_keys: \[1\]}}\]$"),
        (WORDS, r"wrappers: \[gymnasium.wrappers:FlattenObservation\]$"),
        (OwnSpace(), r"wrappers: \[my_module:MyWrapper\]$"),
    ):  # fmt: skip
        with pytest.raises(SpaceError, match=said):
            ObservationSpec.from_space(space)


def test_a_box_with_a_low_above_its_high_is_refused() -> None:
    box = spaces.Box(-1, 1, (2,))
    box.low = np.float32([0, 2])
    for kind, name in ((ObservationSpec, "observation"), (ActionSpec, "action")):
        with pytest.raises(SpaceError, match=f"{name} has a low above its high"):
            kind.from_space(box)


# ---- descriptions that contradict themselves

LEAF = {"kind": "box", "shape": [2], "dtype": "float32", "low": ["-inf"], "high": ["inf"]}
FORGED: list[tuple[Any, str]] = [
    (None, "is not a mapping"),
    ({}, "is of kind None; known: box"),
    ({**LEAF, "kind": "graph"}, "is of kind 'graph'"),
    ({**LEAF, "shape": 3}, "has shape 3, which no array has"),
    ({**LEAF, "shape": [-1]}, "has shape"),
    ({**LEAF, "shape": ["a"]}, "has shape"),
    ({**LEAF, "dtype": "object"}, "dtype 'object'"),
    ({**LEAF, "dtype": "no such"}, "dtype 'no such'"),
    ({**LEAF, "dtype": 5}, "dtype 5"),
    ({**LEAF, "low": 3}, "are not a list"),
    ({**LEAF, "low": ["a"]}, "has the bound 'a'"),
    ({**LEAF, "low": [[1]]}, "has the bound"),
    ({**LEAF, "low": [1.0], "high": [0.0]}, "low above its high"),
    ({**LEAF, "low": [1.0, 2.0, 3.0]}, "and 3 and 1 bounds"),
    ({**LEAF, "kind": "discrete", "dtype": "int64", "low": [0], "high": [3]}, "single index of shape"),
    ({**LEAF, "kind": "discrete", "dtype": "int64", "shape": [], "low": [0]}, "bound inf"),
    ({**LEAF, "dtype": "int64", "low": [0.5]}, "bound 0.5"),
    ({"kind": "dict", "keys": ["a"], "parts": []}, "do not fit its parts"),
    ({"kind": "dict", "keys": ["a", "a"], "parts": [LEAF, LEAF]}, "which no space has"),
    ({"kind": "tuple", "keys": ["a"], "parts": [LEAF]}, "which no space has"),
    ({"kind": "tuple", "keys": [0], "parts": [5]}, r"\[0\] is described by 5"),
    ({**LEAF, "low": [float("nan")]}, "has the bound nan"),
    ({**LEAF, "kind": ["box"]}, r"is of kind \['box'\]"),
    ({**LEAF, "dtype": None}, "dtype None"),
    ({**LEAF, "dtype": "(2,)f4"}, r"dtype '\(2,\)f4'"),
    ({**LEAF, "dtype": "\ud800"}, "dtype"),
    ({**LEAF, "dtype": "uint8", "low": [0], "high": [256]}, "has values that its dtype uint8 cannot hold"),
    ({**LEAF, "kind": "discrete", "dtype": "int64", "shape": [], "low": [10**400], "high": [10**400]}, "cannot hold"),
    ({**LEAF, "kind": "binary", "dtype": "int8", "low": [0], "high": [7]}, "cannot hold"),
    ({"kind": "tuple", "keys": [1], "parts": [LEAF]}, "which no space has"),
    ({"kind": "dict", "keys": [True], "parts": [LEAF]}, "which no space has"),
    (functools.reduce(lambda part, _: {"kind": "tuple", "keys": [0], "parts": [part]}, range(40), LEAF), "33 deep"),
    ({**LEAF, "shape": [10**9, 10**9]}, "at most 10000000 are allowed"),
]


@pytest.mark.parametrize(("values", "said"), FORGED)
def test_a_description_that_contradicts_itself_is_refused(values: Any, said: str) -> None:
    for kind in (ObservationSpec, ActionSpec):
        with pytest.raises((ValueError, SpaceError), match=said):
            kind.from_dict(values)
    assert ObservationSpec.from_dict(LEAF) == ObservationSpec.from_space(spaces.Box(-np.inf, np.inf, (2,)))
