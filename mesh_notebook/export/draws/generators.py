"""The generators that libraries keep for themselves, by the functions that draw from them."""

from __future__ import annotations

from mesh_notebook.export.words import words

__all__ = ["CONSTRUCTORS", "FAKER", "NUMPY", "POLARS", "PYTHON", "SYSTEM", "is_seed", "source_of"]

PYTHON, NUMPY, POLARS = "<draws of random>", "<draws of numpy>", "<draws of polars>"
FAKER, SYSTEM = (
    "<draws of faker>",
    "<draws of the system>",
)  # the system's own chance: nobody can set it
_TORCH, _TENSORFLOW = "<draws of torch>", "<draws of tensorflow>"

_SEEDS = {
    "random.seed": PYTHON,
    "numpy.random.seed": NUMPY,
    "polars.set_random_seed": POLARS,
    "faker.Faker.seed": FAKER,
    "faker.proxy.Faker.seed": FAKER,
    "faker.Generator.seed": FAKER,
    "torch.manual_seed": _TORCH,
    "torch.random.manual_seed": _TORCH,
    "tensorflow.random.set_seed": _TENSORFLOW,
}
# What makes a generator of one's own: it draws alike where it is given a seed.
CONSTRUCTORS = words(
    "numpy.random.default_rng numpy.random.RandomState numpy.random.SeedSequence "
    "numpy.random.PCG64 numpy.random.PCG64DXSM numpy.random.MT19937 numpy.random.Philox "
    "numpy.random.SFC64 random.Random"
)
_TYPES = words("numpy.random.Generator numpy.random.BitGenerator random.Random random.SystemRandom")
_SYSTEM = words(
    "os.urandom os.getrandom ssl.RAND_bytes random.SystemRandom uuid.uuid1 uuid.uuid4 uuid.uuid6 "
    "uuid.uuid7 crypt.mksalt bcrypt.gensalt cryptography.fernet.Fernet.generate_key "
    "email.utils.make_msgid tempfile.mktemp shortuuid.uuid shortuuid.random nanoid.generate "
    "ulid.new ulid.ULID"
)
_OF_TORCH = words("rand randn randint randperm normal bernoulli multinomial rand_like randn_like")


def source_of(origin: str) -> str:
    """Return which hidden generator a function draws from or seeds, by its full name.

    Empty where it uses none. A module of such functions stands for all of them.
    """
    if origin in _SEEDS:
        return _SEEDS[origin]
    if origin in _SYSTEM or origin == "secrets" or origin.startswith("secrets."):
        return SYSTEM
    if origin.startswith(tuple(f"{t}." for t in _TYPES)) or origin in CONSTRUCTORS | _TYPES:
        return ""
    if origin in ("random", "numpy.random") or origin.startswith(("random.", "numpy.random.")):
        return _of_module(origin)
    root, _, name = origin.partition(".")
    if root == "torch" and name in _OF_TORCH:
        return _TORCH
    return _TENSORFLOW if origin.startswith("tensorflow.random.") else ""


def _of_module(origin: str) -> str:
    last = origin.rpartition(".")[2]
    if last[:1].isupper() or "()" in origin or "[" in origin:
        return ""  # a class, or a method of what was made
    return NUMPY if origin.startswith("numpy") else PYTHON


def is_seed(origin: str) -> bool:
    """Return whether a call sets a hidden generator to a known state."""
    return origin in _SEEDS
