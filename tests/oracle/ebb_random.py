"""ebb's random numbers in NumPy: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random
numbers: as easy as 1, 2, 3" (SC 2011). A number is a pure function of (seed, stream, index), as in
include/ebb/core/random.hpp, so both sides make the same weights and data and no file carries them.
"""

import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def bits(seed, stream, count):
    """The first `count` words of a stream, as RandomStream::bits."""
    blocks = (count + 3) // 4
    index = np.arange(blocks, dtype=np.uint64)
    c = [index & MASK, index >> np.uint64(32),
         np.full(blocks, stream & 0xFFFFFFFF, np.uint64),
         np.full(blocks, stream >> 32, np.uint64)]
    key0, key1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        a = np.uint64(0xD2511F53) * c[0]
        b = np.uint64(0xCD9E8D57) * c[2]
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(key0), b & MASK,
             (a >> np.uint64(32)) ^ c[3] ^ np.uint64(key1), a & MASK]
        key0 = (key0 + 0x9E3779B9) & 0xFFFFFFFF
        key1 = (key1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).reshape(-1)[:count]


def uniform(seed, stream, shape):
    """Uniform in [0, 1) as RandomStream::uniform, in double (a multiple of 2^-24)."""
    count = int(np.prod(shape, dtype=np.int64))
    words = bits(seed, stream, count) >> np.uint64(8)
    return (words.astype(np.float64) * (1.0 / 16777216.0)).reshape(shape)


def below(seed, stream, n, shape):
    """Uniform integers in [0, n) as RandomStream::below."""
    count = int(np.prod(shape, dtype=np.int64))
    return ((bits(seed, stream, count) * np.uint64(n)) >> np.uint64(32)).astype(np.int64).reshape(shape)


def check():
    """Known answers of the Random123 distribution: counter and key zero, and all ones."""
    zero = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    assert [int(w) for w in bits(0, 0, 4)] == zero, "Philox4x32-10 does not give its known answer"


check()
