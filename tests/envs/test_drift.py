"""Physics that changes: what it does to the dynamics, and that it is put back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit
from synaptick.envs import DriftParameters

from ..support.worlds import Plain, bare


def act(env: Any, state: Any, action: Any) -> np.ndarray:
    """Return the state after one step from a state."""
    env.reset(seed=0)
    env.unwrapped.state = np.array(state, np.float64)
    env.step(action)
    return np.array(env.unwrapped.state)


# ---- classic control


@pytest.mark.parametrize(
    ("changes", "gravity", "cart", "pole", "length", "force"),
    [
        ({}, 9.8, 1.0, 0.1, 0.5, 10.0),
        ({"force": 0.5}, 9.8, 1.0, 0.1, 0.5, 5.0),
        ({"force_mag": -2}, 9.8, 1.0, 0.1, 0.5, -20.0),
        ({"gravity": 3, "mass": 2}, 29.4, 2.0, 0.2, 0.5, 10.0),
        ({"masscart": 4, "masspole": 5}, 9.8, 4.0, 0.5, 0.5, 10.0),
        ({"mass": 2, "masspole": 5}, 9.8, 2.0, 1.0, 0.5, 10.0),
        ({"length": 3}, 9.8, 1.0, 0.1, 1.5, 10.0),
    ],
)
def test_cartpole_accelerates_by_its_new_physics(
    changes: dict[str, float], gravity: float, cart: float, pole: float, length: float, force: float
) -> None:
    env = DriftParameters(bare("CartPole-v1"), changes) if changes else bare("CartPole-v1")
    angle, turning, tau = 0.1, 0.7, 0.02
    after = act(env, [0.0, 0.0, angle, turning], 1)
    # Barto, Sutton & Anderson 1983, without friction: solved for both accelerations.
    sine, cosine, total = math.sin(angle), math.cos(angle), cart + pole
    push = (force + pole * length * turning**2 * sine) / total
    spin = (gravity * sine - cosine * push) / (length * (4 / 3 - pole * cosine**2 / total))
    speed = push - pole * length * spin * cosine / total
    np.testing.assert_allclose(after[[1, 3]], [tau * speed, turning + tau * spin], rtol=1e-12)


def test_pendulum_swings_by_its_new_physics() -> None:
    env = DriftParameters(bare("Pendulum-v1"), {"gravity": 0.5, "m": 3, "length": 2, "max_torque": 0.25})
    angle, speed = act(env, [1.0, 0.2], np.float32([2.0]))
    gravity, mass, length, torque = 5.0, 3.0, 2.0, 0.5
    faster = 0.2 + 0.05 * (3 * gravity / (2 * length) * math.sin(1.0) + 3 / (mass * length**2) * torque)
    assert speed == pytest.approx(faster)
    assert angle == pytest.approx(1.0 + 0.05 * faster)
    assert env.action_space == bare("Pendulum-v1").action_space


def test_mountain_cars_climb_by_their_new_physics() -> None:
    car = DriftParameters(bare("MountainCar-v0"), {"force": 3, "gravity": 0.5})
    np.testing.assert_allclose(act(car, [-0.4, 0.01], 2)[1], 0.01 + 0.003 - 0.00125 * math.cos(-1.2))
    car = DriftParameters(bare("MountainCarContinuous-v0"), {"force": 3})
    np.testing.assert_allclose(
        act(car, [-0.4, 0.01], np.float32([0.5]))[1], 0.01 + 0.5 * 0.0045 - 0.0025 * math.cos(-1.2), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("changes", "attributes"),
    [
        ({"mass": 2}, {"LINK_MASS_1": 2.0, "LINK_MASS_2": 2.0, "LINK_MOI": 2.0}),
        (
            {"length": 2},
            {"LINK_LENGTH_1": 2.0, "LINK_LENGTH_2": 2.0, "LINK_COM_POS_1": 1.0, "LINK_COM_POS_2": 1.0, "LINK_MOI": 4.0},
        ),
        ({"force": 3}, {"AVAIL_TORQUE": [-3.0, 0.0, 3.0]}),
        ({"LINK_COM_POS_2": 0.5, "LINK_MASS_2": 4}, {"LINK_COM_POS_2": 0.25, "LINK_MASS_2": 4.0}),
    ],
)
def test_acrobot_swings_as_one_built_like_this(changes: dict[str, float], attributes: dict[str, Any]) -> None:
    built: Any = type("Built", (type(bare("Acrobot-v1")),), attributes)()
    env, plain, state = DriftParameters(bare("Acrobot-v1"), changes), bare("Acrobot-v1"), [0.5, -0.3, 0.2, 0.4]
    np.testing.assert_array_equal(act(env, state, 2), act(built, state, 2))
    assert (act(env, state, 2) != act(plain, state, 2)).any()
    assert type(env.unwrapped).LINK_MASS_1 == plain.LINK_MASS_1 == 1.0  # others keep theirs


def test_twice_the_mass_and_half_of_everything_else_is_no_change_of_acrobot() -> None:
    """With gravity as it is, masses and torque scale the equations of motion alike."""
    env, state = DriftParameters(bare("Acrobot-v1"), {"mass": 2, "force": 2}), [0.5, -0.3, 0.2, 0.4]
    np.testing.assert_allclose(act(env, state, 2), act(bare("Acrobot-v1"), state, 2), rtol=1e-12)


def test_parameters_never_compound_and_are_put_back() -> None:
    plain, inner = bare("CartPole-v1"), bare("CartPole-v1")
    env = DriftParameters(
        TimeLimit(inner, 20),
        {
            "gravity": {"every": 1, "values": [0.1, 1, 10]},
            "mass": {"wander": 0.3, "between": [0.5, 2], "log": True},
            "length": {"mean_interval": 2, "between": [0.1, 10]},
        },
    )
    env.reset(seed=0)
    for step in range(3000):
        _, _, terminated, truncated, _ = env.step(0)
        assert inner.gravity == plain.gravity * [0.1, 1, 10][step % 3]
        assert inner.masspole == plain.masspole * env.factors["mass"]
        assert inner.total_mass == inner.masspole + inner.masscart
        assert inner.polemass_length == inner.masspole * inner.length
        assert 0.1 * plain.length <= inner.length <= 10 * plain.length
        assert 0.5 <= env.factors["mass"] <= 2
        if terminated or truncated:
            env.reset()
    env.close()
    mine, theirs = vars(inner), vars(plain)
    names = ("gravity", "masscart", "masspole", "total_mass", "length", "polemass_length", "force_mag")
    assert [mine[name] for name in names] == [theirs[name] for name in names]


def test_other_environments_have_their_floats() -> None:
    inner = Plain()
    env = DriftParameters(inner, {"strength": {"every": 2, "values": [1, 3]}, "rates": 0.5})
    nominal = inner.rates
    strengths = []
    env.reset()
    for _ in range(6):
        env.step(0)
        strengths.append(inner.strength)
    assert strengths == [2, 2, 6, 6, 2, 2]
    assert nominal.tolist() == [0.5, 2.0]
    assert Plain.strength == 2.0
    with pytest.raises(ValueError, match=r"got 'length'; .*Plain.* has the parameters rates, strength$"):
        DriftParameters(Plain(), {"length": 1})


def test_two_around_one_environment_are_refused() -> None:
    inner = TimeLimit(DriftParameters(bare("CartPole-v1"), {"gravity": 2}), 9)
    with pytest.raises(ValueError, match=r"DriftParameters is already around .*; give all changes to one of them"):
        DriftParameters(inner, {"mass": 2})


# ---- MuJoCo


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it stands


def robot(env_id: str, changes: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return module, model and data of a simulated robot in a state of its own, seen by the new physics."""
    mujoco = pytest.importorskip("mujoco")
    env = DriftParameters(gymnasium.make(env_id), changes) if changes else gymnasium.make(env_id)
    env.reset(seed=0)
    simulated = env.unwrapped
    rng = np.random.default_rng(0)
    simulated.data.qvel[:] = rng.standard_normal(simulated.model.nv)
    simulated.data.ctrl[:] = rng.uniform(-0.4, 0.4, simulated.model.nu)
    mujoco.mj_forward(simulated.model, simulated.data)
    return mujoco, simulated.model, simulated.data


@pytest.mark.parametrize(
    "env_id", ["Hopper-v5", "HalfCheetah-v5", "Ant-v5", "Humanoid-v5", "InvertedDoublePendulum-v5"]
)
def test_forces_of_robots_are_those_of_the_new_physics(env_id: str) -> None:
    mujoco, model, data = robot(env_id, {})

    def inertia(model: Any, data: Any) -> np.ndarray:
        matrix = np.zeros((model.nv, model.nv))
        for row, unit in zip(matrix, np.eye(model.nv), strict=True):
            mujoco.mj_mulM(model, data, row, unit)
        return matrix - np.diag(model.dof_armature)

    def weight(model: Any, data: Any) -> np.ndarray:
        data.qvel[:] = 0
        mujoco.mj_forward(model, data)
        return data.qfrc_bias.copy()

    plain = {"passive": data.qfrc_passive.copy(), "force": data.qfrc_actuator.copy(), "inertia": inertia(model, data)}
    plain["bias"], plain["weight"] = data.qfrc_bias.copy(), weight(model, data)

    _, other, changed = robot(env_id, {"force": 3})
    np.testing.assert_allclose(changed.qfrc_actuator, 3 * plain["force"], rtol=1e-9)
    assert np.abs(plain["force"]).max() > 0
    _, other, changed = robot(env_id, {"mass": 2})
    np.testing.assert_allclose(inertia(other, changed), 2 * plain["inertia"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(changed.qfrc_bias, 2 * plain["bias"], rtol=1e-9, atol=1e-9)
    _, other, changed = robot(env_id, {"gravity": -0.5})
    np.testing.assert_allclose(weight(other, changed), -0.5 * plain["weight"], rtol=1e-9, atol=1e-9)
    if not model.jnt_stiffness.any():
        _, other, changed = robot(env_id, {"damping": 4})
        np.testing.assert_allclose(changed.qfrc_passive, 4 * plain["passive"], rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("_elsewhere")
def test_what_follows_from_masses_of_robots_follows() -> None:
    _, plain, _ = robot("Hopper-v5", {})
    _, model, _ = robot("Hopper-v5", {"mass": 2})
    np.testing.assert_allclose(model.body_subtreemass, 2 * plain.body_subtreemass, rtol=1e-12)
    assert (model.dof_invweight0 < 0.95 * plain.dof_invweight0).all()
    assert (model.body_inertia == 2 * plain.body_inertia).all()


@pytest.mark.usefixtures("_elsewhere")
def test_contacts_of_robots_have_the_new_friction() -> None:
    found = []
    for factor in (1.0, 0.25):
        mujoco, model, data = robot("Ant-v5", {"friction": factor})
        data.qpos[2] = 0.2
        mujoco.mj_forward(model, data)
        assert data.ncon
        found.append(np.array([contact.friction for contact in data.contact]))
    np.testing.assert_allclose(found[1], 0.25 * found[0])


@pytest.mark.usefixtures("_elsewhere")
def test_robots_drift_without_compounding_and_are_put_back() -> None:
    pytest.importorskip("mujoco")
    plain, inner = (gymnasium.make("Hopper-v5") for _ in range(2))
    names = [name for name in dir(plain.unwrapped.model) if not name.startswith("_")]
    env = DriftParameters(
        inner,
        {
            "gravity": {"every": 1, "values": [0.1, 1, 10]},
            "mass": {"wander": 0.1, "between": [0.5, 2], "log": True},
            "friction": {"mean_interval": 2, "between": [0, 3]},
            "force": {"every": 7, "values": [1, -1]},
            "damping": {"every": 3, "between": [0, 2]},
        },
    )
    env.reset(seed=0)
    env.action_space.seed(0)
    ours, theirs = inner.unwrapped.model, plain.unwrapped.model
    for step in range(200):
        _, _, terminated, _, _ = env.step(env.action_space.sample())
        np.testing.assert_array_equal(ours.opt.gravity, theirs.opt.gravity * [0.1, 1, 10][step % 3])
        np.testing.assert_array_equal(ours.body_mass, theirs.body_mass * env.factors["mass"])
        if terminated:
            env.reset()
    assert (ours.geom_friction != theirs.geom_friction).any()
    env._physics.scale(dict.fromkeys(env.factors, 1.0))
    for name in names:
        value = getattr(theirs, name)
        if isinstance(value, np.ndarray) and value.dtype.kind in "fi":
            np.testing.assert_array_equal(getattr(ours, name), value, err_msg=name)
    np.testing.assert_array_equal(ours.opt.gravity, theirs.opt.gravity)


@pytest.mark.usefixtures("_elsewhere")
def test_the_fluid_around_a_swimmer_changes_and_nothing_that_it_has_not() -> None:
    _, model, _ = robot("Swimmer-v5", {"fluid": 0.5})
    assert (model.opt.density, model.opt.viscosity) == (2000.0, 0.05)
    with pytest.raises(
        ValueError, match=r"got 'damping'; .*Swimmer.* has the parameters gravity, mass, friction, force"
    ):
        DriftParameters(gymnasium.make("Swimmer-v5"), {"damping": 2})
    env = gymnasium.make("Hopper-v5")
    env.unwrapped.model.actuator_biastype[:] = 1
    with pytest.raises(ValueError, match=r"got 'force'; .* has the parameters gravity, mass, friction, damping"):
        DriftParameters(env, {"force": 2})
