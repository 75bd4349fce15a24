# SPDX-License-Identifier: Apache-2.0
"""AES (FIPS 197), counter mode as SRTP has it, and key wrap (RFC 3394), slow and plain, for tests that must not use
the library under test."""


def _times(a, b):
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return product


def _sbox():
    box = []
    for x in range(256):
        inverse = next((y for y in range(256) if _times(x, y) == 1), 0)
        box.append(0x63 ^ inverse ^ _turn(inverse, 1) ^ _turn(inverse, 2) ^ _turn(inverse, 3) ^ _turn(inverse, 4))
    return box


def _turn(x, n):
    return (x << n | x >> (8 - n)) & 0xff


SBOX = _sbox()
BACK = [SBOX.index(x) for x in range(256)]


def _schedule(key):
    words = [list(key[i:i + 4]) for i in range(0, len(key), 4)]
    size, rcon = len(words), 1
    for i in range(size, 4 * (size + 7)):
        word = list(words[-1])
        if i % size == 0:
            word = [SBOX[x] for x in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = _times(rcon, 2)
        elif size > 6 and i % size == 4:
            word = [SBOX[x] for x in word]
        words.append([a ^ b for a, b in zip(words[i - size], word)])
    return [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]


def _mix(state, factors):
    out = []
    for column in range(0, 16, 4):
        for row in range(4):
            value = 0
            for k in range(4):
                value ^= _times(state[column + k], factors[(k - row) % 4])
            out.append(value)
    return out


def encrypt(key, block):
    """One block."""
    keys = _schedule(key)
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, round_key in enumerate(keys[1:], 1):
        state = [SBOX[state[(4 * (i % 4) + i) % 16]] for i in range(16)]
        if number < len(keys) - 1:
            state = _mix(state, (2, 3, 1, 1))
        state = [a ^ b for a, b in zip(state, round_key)]
    return bytes(state)


def decrypt(key, block):
    """One block back."""
    keys = _schedule(key)
    state = [a ^ b for a, b in zip(block, keys[-1])]
    for number, round_key in enumerate(reversed(keys[:-1]), 1):
        state = [BACK[state[(i - 4 * (i % 4)) % 16]] for i in range(16)]
        state = [a ^ b for a, b in zip(state, round_key)]
        if number < len(keys) - 1:
            state = _mix(state, (14, 11, 13, 9))
    return bytes(state)


def counter(key, iv, data):
    """Counter mode from a first block; the same there and back."""
    start, out = int.from_bytes(iv, "big"), b""
    for i in range(0, len(data), 16):
        stream = encrypt(key, ((start + i // 16) % (1 << 128)).to_bytes(16, "big"))
        out += bytes(a ^ b for a, b in zip(data[i:i + 16], stream))
    return out


def unwrap(key, salt, wrapped):
    """RFC 3394, 2.2.2, with `salt` for the initial value. None when it is not that."""
    count = len(wrapped) // 8 - 1
    a, r = wrapped[:8], [wrapped[i:i + 8] for i in range(8, len(wrapped), 8)]
    for j in range(5, -1, -1):
        for i in range(count, 0, -1):
            t = int.from_bytes(a, "big") ^ (count * j + i)
            block = decrypt(key, t.to_bytes(8, "big") + r[i - 1])
            a, r[i - 1] = block[:8], block[8:]
    return b"".join(r) if a == salt else None
