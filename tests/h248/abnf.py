# SPDX-License-Identifier: Apache-2.0
"""A recogniser of ABNF (RFC 5234): is this text derivable from that rule? All derivations are looked at, whatever
order the alternatives stand in; what a rule can match at a place is worked out once. It knows nothing of H.248: the
grammar is a file. It also tells which alternatives, options and repetitions of the grammar the texts have used."""
import re

TOKEN = re.compile(r'''(?P<blank>[ \t]+)|"(?P<text>[^"]*)"|%x(?P<hex>[0-9A-Fa-f]+(?:[-.][0-9A-Fa-f]+)*)'''
                   r'''|(?P<repeat>\d*\*\d*|\d+)|(?P<name>[A-Za-z][A-Za-z0-9-]*)|(?P<mark>[][()/])''')


class Node:
    """kind: alt, cat (parts), rep (parts[0], low, high), lit (text), set (octets), rule (name)."""

    def __init__(self, kind, parts=(), **more):
        self.kind, self.parts = kind, list(parts)
        self.low, self.high, self.text, self.octets, self.name = 0, None, b"", frozenset(), ""
        self.__dict__.update(more)
        self.used = False


def rules_of(text):
    """The rules of a file: [(name, definition)]. A rule starts at the first column, its other lines do not."""
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r'^((?:[^";]|"[^"]*")*);.*$', r"\1", line).rstrip()
        if not line:
            continue
        start = re.match(r"([A-Za-z][A-Za-z0-9-]*)\s*=", line)
        if start:
            rules.append([start.group(1).lower(), line[start.end():]])
        elif line[0] in " \t" and rules:
            rules[-1][1] += " " + line
        else:
            raise ValueError(f"line {number}: no rule and no continuation: {line}")
    return rules


class Definition:
    """One right-hand side, read from left to right."""

    def __init__(self, text):
        self.tokens, self.at, place = [], 0, 0
        while place < len(text):
            found = TOKEN.match(text, place)
            if not found:
                raise ValueError(f"not ABNF: {text[place:place + 30]!r} in {text!r}")
            place = found.end()
            if found.lastgroup != "blank":
                self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
        self.node = self.alternation()
        if self.at != len(self.tokens):
            raise ValueError(f"too many brackets: {text!r}")

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, None)

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else (None, None)

    def alternation(self):
        parts = [self.concatenation()]
        while self.peek() == ("mark", "/"):
            self.take()
            parts.append(self.concatenation())
        return parts[0] if len(parts) == 1 else Node("alt", parts)

    def concatenation(self):
        parts = []
        while self.peek()[0] and self.peek() not in (("mark", "/"), ("mark", ")"), ("mark", "]")):
            parts.append(self.repetition())
        if not parts:
            raise ValueError("an empty concatenation")
        return parts[0] if len(parts) == 1 else Node("cat", parts)

    def repetition(self):
        kind, text = self.peek()
        if kind != "repeat":
            return self.element()
        self.take()
        low, star, high = text.partition("*")
        low = int(low or 0)
        return Node("rep", [self.element()], low=low, high=(int(high) if high else None) if star else low)

    def element(self):
        kind, text = self.take()
        if kind == "name":
            return Node("rule", name=text.lower())
        if kind == "text":
            return Node("lit", text=text.lower().encode())
        if kind == "hex":
            low, _, high = text.partition("-")
            return Node("set", octets=frozenset(range(int(low, 16), int(high or low, 16) + 1)))
        if (kind, text) in (("mark", "("), ("mark", "[")):
            node = self.alternation()
            if self.take() != ("mark", ")" if text == "(" else "]"):
                raise ValueError("a bracket is not closed")
            return node if text == "(" else Node("rep", [node], low=0, high=1)
        raise ValueError(f"unexpected {text!r}")


class Grammar:
    """Rules of several files; later ones replace earlier ones of the same name."""

    def __init__(self, *texts):
        self.rules = {}
        for text in texts:
            for name, definition in rules_of(text):
                self.rules[name] = Definition(definition).node
        self.rules = {name: self.simple(node) for name, node in self.rules.items()}
        self.first, self.text, self.low, self.memo, self.calls = {}, b"", b"", {}, {}
        self.work = 0
        for name in self.rules:
            self.calls[name] = self.rule_call(name)

    # -- preparation

    def octet(self, node, seen=()):
        """The set of a node that always matches one octet, else None."""
        if node.kind == "set":
            return node.octets
        if node.kind == "lit" and len(node.text) == 1:
            return frozenset(node.text + node.text.upper())
        if node.kind == "rule" and node.name not in seen and node.name in self.rules:
            return self.octet(self.rules[node.name], seen + (node.name,))
        if node.kind == "alt":
            sets = [self.octet(part, seen) for part in node.parts]
            return frozenset().union(*sets) if all(s is not None for s in sets) else None
        return None

    def simple(self, node):
        """Whatever matches one octet becomes a set: that is what makes it fast. Tokens are kept apart."""
        octets = None if node.kind == "lit" and node.text.isalpha() else self.octet(node)
        if octets is not None:
            return Node("set", octets=octets)
        node.parts = [self.simple(part) for part in node.parts]
        return node

    def starts(self, node):
        """(octets it may begin with, may it be empty)."""
        if node in self.first:
            return self.first[node]
        self.first[node] = (frozenset(), False)  # what a left recursion would need; this grammar has none
        if node.kind == "set":
            found = (node.octets, False)
        elif node.kind == "lit":
            found = (frozenset(node.text[:1] + node.text[:1].upper()), not node.text)
        elif node.kind == "rule":
            found = self.starts(self.rules[node.name])
        elif node.kind == "alt":
            several = [self.starts(part) for part in node.parts]
            found = (frozenset().union(*(s for s, _ in several)), any(e for _, e in several))
        elif node.kind == "rep":
            octets, empty = self.starts(node.parts[0])
            found = (octets, empty or node.low == 0)
        else:
            octets, empty = frozenset(), True
            for part in node.parts:
                more, part_empty = self.starts(part)
                octets |= more
                if not part_empty:
                    empty = False
                    break
            found = (octets, empty)
        self.first[node] = found
        return found

    def rule_call(self, name):
        memo = self.memo[name] = {}

        def ends(at):
            found = memo.get(at)
            if found is None:
                self.work += 1
                found = memo[at] = self.ends(self.rules[name], at)
            return found
        return ends

    # -- matching

    def ends(self, node, at):
        """Where a match of the node that starts at `at` may end; without order, without repeats."""
        octets, empty = self.starts(node)
        if not empty and (at >= len(self.text) or self.text[at] not in octets):
            return ()
        kind = node.kind
        if kind == "rule":
            return self.calls[node.name](at)
        if kind == "set":
            return (at + 1,)
        if kind == "lit":
            return (at + len(node.text),) if self.low.startswith(node.text, at) else ()
        if kind == "alt":
            found = [end for part in node.parts for end in self.ends(part, at)]
            return tuple(set(found)) if len(found) > 1 else tuple(found)
        if kind == "cat":
            return tuple(self.steps(node.parts, at)[-1])
        return tuple(self.repeats(node, at)[1])

    def steps(self, parts, at):
        """The places before each part of a concatenation and behind the last."""
        places = [{at}]
        for part in parts:
            places.append({end for place in places[-1] for end in self.ends(part, place)})
        return places

    def repeats(self, node, at):
        """({(count so far, capped; end): from}, ends)."""
        part, low = node.parts[0], node.low
        came, ends = {}, set()
        if part.kind == "set":  # the common case: a run of octets
            text, place = self.text, at
            stop = len(text) if node.high is None else min(len(text), at + node.high)
            while place < stop and text[place] in part.octets:
                place += 1
            return None, range(at + low, place + 1)
        wave, count = {at}, 0
        while wave:
            if count >= low:
                fresh = wave - ends
                ends |= wave
                if count > low:
                    wave = fresh
            if node.high is not None and count == node.high:
                break
            following = set()
            for place in wave:
                for end in self.ends(part, place):
                    if end > place:
                        came.setdefault((count + 1, end), (count, place))
                        following.add(end)
            wave, count = following, count + 1
        return came, ends

    def start(self, text):
        self.text, self.low = text, text.lower()
        for memo in self.memo.values():
            memo.clear()

    def matches(self, rule, text):
        """Is all of `text` (octets) a `rule`?"""
        self.start(text)
        return len(text) in self.calls[rule.lower()](0)

    def furthest(self):
        """How far the last text was understood: for a message to people."""
        return max((at for memo in self.memo.values() for at, ends in memo.items() if ends), default=0)

    # -- what has been used

    def use(self, rule, text):
        """As matches, and mark what it uses: of alternatives that match the same octets all."""
        if not self.matches(rule, text):
            return False
        self.derive(Node("rule", name=rule.lower()), 0, len(text), set())
        return True

    def derive(self, node, at, end, seen):
        node.used = True
        if node.kind == "rule":
            if (node.name, at, end) not in seen:
                seen.add((node.name, at, end))
                self.derive(self.rules[node.name], at, end, seen)
        elif node.kind == "alt":
            for part in node.parts:
                if end in self.ends(part, at):
                    self.derive(part, at, end, seen)
        elif node.kind == "cat":
            places = self.steps(node.parts, at)
            for part, before in zip(reversed(node.parts), reversed(places[:-1])):
                place = next(p for p in before if end in self.ends(part, p))
                self.derive(part, place, end, seen)
                end = place
        elif node.kind == "rep":
            came, _ = self.repeats(node, at)
            if came is None:
                node.parts[0].used = node.parts[0].used or end > at
                return
            count = min((c for c, e in came if e == end and c >= node.low), default=0)
            while end != at and (count, end) in came:
                count, place = came[count, end]
                self.derive(node.parts[0], place, end, seen)
                end = place

    def unused(self, rule):
        """Alternatives, options and rules reachable from `rule` that no text has used: their names in words."""
        found, seen = [], set()

        def words(node):
            if node.kind == "rule":
                return node.name
            if node.kind == "lit":
                return f'"{node.text.decode()}"'
            if node.kind == "set":
                return "octet"
            if node.kind == "rep":
                return f"[{words(node.parts[0])}]"
            return (" / " if node.kind == "alt" else " ").join(words(p) for p in node.parts)

        def walk(node, of):
            if node.kind == "rule":
                if node.name not in seen:
                    seen.add(node.name)
                    walk(self.rules[node.name], node.name)
            for part in node.parts:
                if node.kind in ("alt", "rep") and not part.used:
                    found.append(f"{of}: {words(part)}")
                else:
                    walk(part, of)
        walk(Node("rule", name=rule.lower()), rule)
        return found
