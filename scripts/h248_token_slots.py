#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Find the factor of the token table's perfect hash and print it with the slots.

Reads the rows of src/h248/text_tokens.c; run it after adding one and put the output in their
place. The hash is the one of h248_token_by_key.
"""
import pathlib
import random
import re
import sys

BITS = 11
MASK = (1 << 64) - 1
MIX = 0x9E3779B97F4A7C15


def spellings(source):
    found = {}
    for token, name, brief in re.findall(r'\[(TOK_\w+)\] = ROW\("([^"]+)", "([^"]+)", \d\)', source):
        for word in {name, brief}:
            if word.lower() in found:
                sys.exit(f"{word} is spelled twice")
            found[word.lower()] = token
    return found


def slot(word, factor):
    octets = [ord(c) | 0x20 for c in word]
    key = int.from_bytes(bytes(octets[:8]), "little")
    mix = len(word) | octets[-1] << 8
    return ((key ^ (mix * MIX & MASK)) * factor & MASK) >> (64 - BITS)


def main():
    path = pathlib.Path(__file__).parent.parent / "src/h248/text_tokens.c"
    words = spellings(path.read_text())
    random.seed(1)
    while True:
        factor = random.getrandbits(64) | 1
        slots = {slot(word, factor): token for word, token in words.items()}
        if len(slots) == len(words):
            break
    print(f"#define SLOT_FACTOR {factor:#x}ULL\n")
    for at in sorted(slots):
        print(f"\t[{at}] = {slots[at]},")


if __name__ == "__main__":
    main()
