"""The machine code of attention that never writes its logits to memory.

That is FlashAttention (Dao et al. 2022, arXiv 2205.14135). For some rows of queries and a block of
keys, logits and weights stay in the cache next to a core; a row's largest logit and the sum of its
weights are kept up to date from block to block. Products are of pairs of bfloat16, summed up in
float32, as AVX512-BF16 has them.
"""

import ctypes
import math
from collections.abc import Callable
from functools import cache, reduce

from llvmlite import ir

from generator.engines.machine_code import (
    BFLOATS,
    FLOATS,
    INT16,
    INT32,
    INT64,
    INTEGERS,
    LANES,
    PAIRS,
    POINTER,
    VECTOR,
    Whole,
    Writer,
    compiled,
)

ROWS = 8
"""Queries at a time. With `_TILE` it says how many sums of a product there are at a time, and they
have 32 registers with what is multiplied."""

_TILE = 3 * LANES
"""Keys of one product."""

_TILES = 4
"""Of a block, at most."""

_BLOCK = _TILES * _TILE
_TOGETHER = 3
"""Vectors of values in one product."""

PART = 1024
"""Queries of a head that are one piece of work; threads take one after the other."""

_NOTHING = -1e30
"""A logit that weighs nothing."""

_POWER = (1, 0.69328293, 0.24221099, 0.05500894)
"""Of 1, x, x^2 and x^3: closest to 2^x from -1/2 to 1/2 of those that are 1 at 0. It is 1e-4 off,
where bfloat16 rounds by up to 2e-3."""

MATRICES = ("query", "key", "value", "found")


class Given(ctypes.Structure):
    """What the machine code is told: addresses, distances in bytes, and counts."""

    _fields_ = [
        *(
            (f"{matrix}{what}", ctypes.c_int64)
            for matrix in MATRICES
            for what in ("", "_batch", "_head", "_row")
        ),
        *(
            (name, ctypes.c_int64)
            for name in ("heads", "tokens", "others", "parts", "pieces", "space", "space_bytes")
        ),
        # How many threads have begun, and how many pieces of work.
        ("begun", ctypes.c_int64),
        ("taken", ctypes.c_int64),
    ]


class Space:
    """Where in a thread's own memory lies what, by bytes.

    Attributes:
        vectors: that a row of values takes.
    """

    def __init__(self, features: int) -> None:
        self.vectors = -(-features // LANES)
        self.logits = 0
        self.weights = self.logits + ROWS * _BLOCK * 4
        self.tops = self.weights + ROWS * _BLOCK * 2
        self.sums = self.tops + ROWS * VECTOR
        self.mixed = self.sums + ROWS * VECTOR
        self.keys = self.mixed + ROWS * self.vectors * VECTOR
        self.tile_of_keys = features // 2 * _TILE * 4
        self.tile_of_values = _TILE // 2 * self.vectors * VECTOR

    def size(self, others: int) -> int:
        """Of all, for so many keys."""
        return self.keys + -(-others // _TILE) * (self.tile_of_keys + self.tile_of_values)


@cache
def kernel(features: int) -> Callable[[ctypes.Structure], None]:
    """The function for heads of so many features, called with a `Given`.

    Raises:
        AttributeError: see `machine_code.compiled`.
        OSError: likewise.
        RuntimeError: likewise.
    """
    return compiled(_Kernel(features).write(), "avx512bf16")


class _Kernel:
    """Writes the function for heads of so many features."""

    def __init__(self, features: int) -> None:
        self._features = features
        self._pairs = features // 2
        self._scale = features**-0.5 * math.log2(math.e)
        self._space = Space(features)
        self._w = Writer(f"attention{features}")
        w = self._w
        thread = w.build.atomic_rmw("add", self._place("begun"), w.whole(1), "monotonic")
        self._own = w.at(self._address("space"), w.times(thread, self._told("space_bytes")))
        self._others = self._told("others")
        self._tiles = w.over(w.add(self._others, _TILE - 1), _TILE)

    def write(self) -> Writer:
        """Each thread takes pieces of work as long as there are any."""
        w, build = self._w, self._w.build
        take, work, done = (build.append_basic_block() for _ in range(3))
        build.branch(take)
        build.position_at_end(take)
        piece = build.atomic_rmw("add", self._place("taken"), w.whole(1), "monotonic")
        build.cbranch(build.icmp_signed("<", piece, self._told("pieces")), work, done)
        build.position_at_end(work)
        self._work(piece)
        build.branch(take)
        build.position_at_end(done)
        build.ret_void()
        return w

    def _place(self, name: str) -> ir.Value:
        return self._w.at(self._w.given, getattr(Given, name).offset)

    def _told(self, name: str) -> ir.Value:
        return self._w.load(self._place(name), INT64, 8)

    def _address(self, name: str) -> ir.Value:
        return self._w.build.inttoptr(self._told(name), POINTER)

    def _row(self, matrix: str, head: ir.Value, row: ir.Value) -> ir.Value:
        return self._w.at(head, self._w.times(row, self._told(f"{matrix}_row")))

    def _work(self, piece: ir.Value) -> None:
        """Some queries of a head."""
        w = self._w
        whole, part = (each(piece, self._told("parts")) for each in (w.over, w.rest))
        batch, head = (each(whole, self._told("heads")) for each in (w.over, w.rest))
        query, key, value, found = (
            w.at(
                self._address(matrix),
                w.times(batch, self._told(f"{matrix}_batch")),
                w.times(head, self._told(f"{matrix}_head")),
            )
            for matrix in MATRICES
        )
        w.loop(w.times(self._tiles, _TILE), lambda row, _: self._pack_key(key, row))
        w.loop(w.times(self._tiles, _TILE // 2), lambda pair, _: self._pack_values(value, pair))
        begin = w.times(part, PART)
        end = w.least(w.add(begin, PART), self._told("tokens"))

        def rows(step: ir.Value, _: list[ir.Value]) -> None:
            # The last ones are as many as all others, some of which are computed again.
            first = w.least(w.add(begin, w.times(step, ROWS)), w.less(end, ROWS))
            self._rows(
                *(
                    [self._row(matrix, head, w.add(first, row)) for row in range(ROWS)]
                    for matrix, head in (("query", query), ("found", found))
                )
            )

        w.loop(w.over(w.add(w.less(end, begin), ROWS - 1), ROWS), rows)

    def _pack_key(self, head: ir.Value, row: ir.Value) -> None:
        """Puts a key's pairs of features into its tile: pairs x keys. The last one fills it up."""
        w = self._w
        key = self._row("key", head, w.least(row, w.less(self._others, 1)))
        tile = w.times(w.over(row, _TILE), self._space.tile_of_keys)
        to = w.at(self._own, self._space.keys, tile, w.times(w.rest(row, _TILE), 4))

        def pair(number: ir.Value, _: list[ir.Value]) -> None:
            w.store(
                w.load(w.at(key, w.times(number, 4)), INT32),
                w.at(to, w.times(number, _TILE * 4)),
                4,
            )

        w.loop(self._pairs, pair)

    def _pack_values(self, head: ir.Value, pair: ir.Value) -> None:
        """Puts the values of two keys side by side: pairs of keys x features."""
        w, build = self._w, self._w.build
        last = w.less(self._others, 1)
        rows = [
            self._row("value", head, w.least(w.add(w.times(pair, 2), row), last)) for row in (0, 1)
        ]
        to = w.at(self._values(), w.times(pair, self._space.vectors * VECTOR))
        for vector, width in enumerate(self._widths()):
            kind = ir.VectorType(INT16, width)
            # What is missing of the last vector is taken from zeros.
            lanes = ir.Constant(INTEGERS, [min(lane, width) for lane in range(LANES)])
            first, second = (
                build.zext(
                    build.shuffle_vector(
                        w.load(w.at(row, vector * LANES * 2), kind),
                        ir.Constant(kind, [0] * width),
                        lanes,
                    ),
                    INTEGERS,
                )
                for row in rows
            )
            upper = build.shl(second, ir.Constant(INTEGERS, [16] * LANES))
            w.store(build.or_(first, upper), w.at(to, vector * VECTOR))

    def _values(self) -> ir.Value:
        """Where packed values lie: after all keys."""
        w = self._w
        return w.at(self._own, self._space.keys, w.times(self._tiles, self._space.tile_of_keys))

    def _widths(self) -> list[int]:
        """Features in each vector of a row."""
        return [min(LANES, self._features - start) for start in range(0, self._features, LANES)]

    def _rows(self, queries: list[ir.Value], found: list[ir.Value]) -> None:
        w, space = self._w, self._space
        for row in range(ROWS):
            w.store(w.floats(_NOTHING), w.at(self._own, space.tops + row * VECTOR))
            w.store(w.floats(0), w.at(self._own, space.sums + row * VECTOR))
            for vector in range(space.vectors):
                w.store(w.floats(0), self._mixed(row, vector))

        def block(number: ir.Value, _: list[ir.Value]) -> None:
            before = w.times(number, _TILES)
            tiles = w.least(w.less(self._tiles, before), _TILES)
            w.loop(tiles, lambda tile, _: self._logits(queries, tile, w.add(before, tile)))
            self._hide(w.less(self._others, w.times(before, _TILE)), w.times(tiles, _TILE))
            w.loop(ROWS, lambda row, _: self._weights(row, tiles))
            for start in range(0, space.vectors, _TOGETHER):
                group = range(start, min(start + _TOGETHER, space.vectors))
                self._mix(group, before, tiles)

        w.loop(w.over(w.add(self._tiles, _TILES - 1), _TILES), block)
        for row in range(ROWS):
            self._finish(row, found[row])

    def _mixed(self, row: Whole, vector: Whole) -> ir.Value:
        """Where sums of weighed values lie."""
        w, space = self._w, self._space
        return w.at(
            self._own, space.mixed, w.times(row, space.vectors * VECTOR), w.times(vector, VECTOR)
        )

    def _dot(
        self, rows: list[ir.Value], columns: list[ir.Value], sums: list[ir.Value]
    ) -> list[ir.Value]:
        """Adds products of pairs: a pair of each row, from memory, with vectors of pairs."""
        w, build = self._w, self._w.build
        pairs = [build.bitcast(column, PAIRS) for column in columns]
        found: list[ir.Value] = []
        for row in rows:  # one by one, or registers do not suffice
            one = build.bitcast(w.splat(w.load(row, INT32), INTEGERS), PAIRS)
            for pair in pairs:
                sum_ = sums[len(found)]
                found.append(w.call("llvm.x86.avx512bf16.dpbf16ps.512", FLOATS, sum_, one, pair))
        return found

    def _logits(self, queries: list[ir.Value], tile: ir.Value, key_tile: ir.Value) -> None:
        """Of all rows for a tile of keys."""
        w, vectors = self._w, range(_TILE // LANES)
        keys = w.at(self._own, self._space.keys, w.times(key_tile, self._space.tile_of_keys))

        def product(pair: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            here = w.at(keys, w.times(pair, _TILE * 4))
            columns = [w.vector(w.at(here, vector * VECTOR), INTEGERS) for vector in vectors]
            return self._dot([w.at(query, w.times(pair, 4)) for query in queries], columns, sums)

        sums = w.loop(self._pairs, product, [w.floats(0)] * (ROWS * len(vectors)))
        to = w.at(self._own, self._space.logits, w.times(tile, _TILE * 4))
        places = [(row, vector) for row in range(ROWS) for vector in vectors]
        for (row, vector), found in zip(places, sums, strict=True):
            w.store(found, w.at(to, row * _BLOCK * 4 + vector * VECTOR))

    def _hide(self, keys: ir.Value, padded: ir.Value) -> None:
        """Has those of a block that are no keys weigh nothing."""
        w, build = self._w, self._w.build
        numbers = ir.Constant(INTEGERS, list(range(LANES)))
        with build.if_then(build.icmp_signed("<", keys, padded), likely=False):
            start = w.over(keys, LANES)

            def hide(step: ir.Value, _: list[ir.Value]) -> None:
                vector = w.add(start, step)
                left = w.splat(build.trunc(w.less(keys, w.times(vector, LANES)), INT32), INTEGERS)
                inside = build.icmp_signed("<", numbers, left)
                for row in range(ROWS):
                    place = w.at(
                        self._own, self._space.logits + row * _BLOCK * 4, w.times(vector, VECTOR)
                    )
                    w.store(build.select(inside, w.vector(place), w.floats(_NOTHING)), place)

            w.loop(w.less(w.over(padded, LANES), start), hide)

    def _weights(self, row: ir.Value, tiles: ir.Value) -> None:
        """A row's: of what was summed up before, too, if a larger logit has come."""
        w, build, space = self._w, self._w.build, self._space
        vectors = range(_TILE // LANES)
        logits = w.at(self._own, space.logits, w.times(row, _BLOCK * 4))
        weights = w.at(self._own, space.weights, w.times(row, _BLOCK * 2))
        top, sum_ = (
            w.at(self._own, place, w.times(row, VECTOR)) for place in (space.tops, space.sums)
        )

        def load(tile: ir.Value) -> list[ir.Value]:
            return [
                w.vector(w.at(logits, w.times(tile, _TILE * 4), vector * VECTOR))
                for vector in vectors
            ]

        def look(tile: ir.Value, tops: list[ir.Value]) -> list[ir.Value]:
            return [w.greater(one, other) for one, other in zip(tops, load(tile), strict=True)]

        found = w.across(w.greater, w.loop(tiles, look, [w.floats(_NOTHING)] * len(vectors)))
        old = w.vector(top)
        new = w.greater(old, found)
        w.store(new, top)

        def power(logits: ir.Value) -> ir.Value:
            return self._power(build.fmul(build.fsub(logits, new), w.floats(self._scale)))

        def weigh(tile: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            found = [power(logit) for logit in load(tile)]
            to = w.at(weights, w.times(tile, _TILE * 2))
            for vector, weight in enumerate(found):
                w.store(self._rounded(weight), w.at(to, vector * LANES * 2), 2 * LANES)
            return [build.fadd(one, other) for one, other in zip(sums, found, strict=True)]

        sums = w.loop(tiles, weigh, [w.floats(0)] * len(vectors))
        shrunk = power(old)
        w.store(self._fma(w.vector(sum_), shrunk, reduce(build.fadd, sums)), sum_)
        for vector in range(space.vectors):
            place = self._mixed(row, vector)
            w.store(build.fmul(w.vector(place), shrunk), place)

    def _mix(self, group: range, before: ir.Value, tiles: ir.Value) -> None:
        """Adds a block's values by their weights: some vectors of features."""
        w, space = self._w, self._space
        values = w.at(self._values(), w.times(before, space.tile_of_values))

        def product(pair: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            here = w.at(values, w.times(pair, space.vectors * VECTOR))
            columns = [w.vector(w.at(here, vector * VECTOR), INTEGERS) for vector in group]
            weights = w.at(self._own, space.weights, w.times(pair, 4))
            return self._dot(
                [w.at(weights, row * _BLOCK * 2) for row in range(ROWS)], columns, sums
            )

        places = [self._mixed(row, vector) for row in range(ROWS) for vector in group]
        sums = w.loop(w.times(tiles, _TILE // 2), product, [w.vector(place) for place in places])
        for place, found in zip(places, sums, strict=True):
            w.store(found, place)

    def _finish(self, row: int, found: ir.Value) -> None:
        """Divides by the sum of weights."""
        w, build = self._w, self._w.build
        sum_ = w.across(build.fadd, [w.vector(w.at(self._own, self._space.sums + row * VECTOR))])
        share = build.fdiv(w.floats(1), sum_)
        for vector, width in enumerate(self._widths()):
            mean = self._rounded(build.fmul(w.vector(self._mixed(row, vector)), share))
            lanes = ir.Constant(ir.VectorType(INT32, width), list(range(width)))
            w.store(build.shuffle_vector(mean, mean, lanes), w.at(found, vector * LANES * 2), 2)

    def _power(self, exponents: ir.Value) -> ir.Value:
        """2 to the power of numbers not above 0."""
        w, build = self._w, self._w.build
        whole = w.call("llvm.roundeven.v16f32", FLOATS, exponents)
        rest = build.fsub(exponents, whole)
        found = w.floats(_POWER[-1])
        for factor in reversed(_POWER[:-1]):
            found = self._fma(found, rest, w.floats(factor))
        every, as_set = ir.Constant(INT16, -1), ir.Constant(INT32, 4)
        scale = "llvm.x86.avx512.mask.scalef.ps.512"
        return w.call(scale, FLOATS, found, whole, w.floats(0), every, as_set)

    def _fma(self, one: ir.Value, other: ir.Value, term: ir.Value) -> ir.Value:
        return self._w.call("llvm.fma.v16f32", FLOATS, one, other, term)

    def _rounded(self, numbers: ir.Value) -> ir.Value:
        return self._w.call("llvm.x86.avx512bf16.cvtneps2bf16.512", BFLOATS, numbers)
