"""Functions in a processor's own instructions, made by LLVM and run on PyTorch's threads.

They are for what PyTorch's operators do in several passes over memory. Vectors are AVX-512's.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TypeAlias

import llvmlite.binding as llvm
import torch
from llvmlite import ir

LANES = 16
"""Numbers of 32 bits in a vector."""

VECTOR = 4 * LANES
"""Bytes of one."""


class _BFloat(ir.Type):  # type: ignore[misc]
    """LLVM's `bfloat`, which llvmlite has no name for."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


POINTER, BYTE = ir.PointerType(), ir.IntType(8)
INT16, INT32, INT64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
FLOATS = ir.VectorType(ir.FloatType(), LANES)
INTEGERS = ir.VectorType(INT32, LANES)
BFLOATS = ir.VectorType(_BFloat(), LANES)
PAIRS = ir.VectorType(_BFloat(), 2 * LANES)
"""Each two of which are what a product of bfloat16 sums up."""

Whole: TypeAlias = ir.Value | int
"""A number of 64 bits that is computed, or known already."""


class Writer:
    """Writes a function that is given one pointer.

    Attributes:
        given: that pointer.
    """

    def __init__(self, name: str) -> None:
        self.module = ir.Module(name)
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [POINTER]), name)
        (self.given,) = function.args
        self.build = ir.IRBuilder(function.append_basic_block())

    def whole(self, number: Whole) -> ir.Value:
        """A number of 64 bits."""
        return ir.Constant(INT64, number) if isinstance(number, int) else number

    def add(self, *numbers: Whole) -> ir.Value:
        """Their sum."""
        return self._folded(self.build.add, numbers)

    def times(self, *numbers: Whole) -> ir.Value:
        """Their product."""
        return self._folded(self.build.mul, numbers)

    def less(self, one: Whole, other: Whole) -> ir.Value:
        """The one less the other."""
        return self.build.sub(self.whole(one), self.whole(other))

    def over(self, one: Whole, other: Whole) -> ir.Value:
        """The one divided by the other, rounded down."""
        return self.build.udiv(self.whole(one), self.whole(other))

    def rest(self, one: Whole, other: Whole) -> ir.Value:
        """What such a division leaves."""
        return self.build.urem(self.whole(one), self.whole(other))

    def least(self, *numbers: Whole) -> ir.Value:
        """The least of them."""

        def lesser(one: ir.Value, other: ir.Value) -> ir.Value:
            return self.build.select(self.build.icmp_signed("<", one, other), one, other)

        return self._folded(lesser, numbers)

    def at(self, place: ir.Value, *distances: Whole) -> ir.Value:
        """So many bytes further."""
        return self.build.gep(place, [self.add(*distances)], source_etype=BYTE)

    def load(self, place: ir.Value, kind: ir.Type, alignment: int = 2) -> ir.Value:
        """What lies at a place."""
        return self.build.load(place, typ=kind, align=alignment)

    def vector(self, place: ir.Value, kind: ir.Type = FLOATS) -> ir.Value:
        """A whole vector that lies at a multiple of its size."""
        return self.load(place, kind, VECTOR)

    def store(self, value: ir.Value, place: ir.Value, alignment: int = VECTOR) -> None:
        """Puts it at a place."""
        self.build.store(value, place, align=alignment)

    def splat(self, number: ir.Value, kind: ir.Type) -> ir.Value:
        """A vector of nothing else."""
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.build.insert_element(undefined, number, ir.Constant(INT32, 0))
        return self.build.shuffle_vector(first, undefined, ir.Constant(INTEGERS, [0] * LANES))

    def floats(self, number: float) -> ir.Value:
        """A vector of nothing else."""
        return ir.Constant(FLOATS, [number] * LANES)

    def greater(self, one: ir.Value, other: ir.Value) -> ir.Value:
        """Lane by lane."""
        return self.build.select(self.build.fcmp_ordered(">", one, other), one, other)

    def across(
        self, join: Callable[[ir.Value, ir.Value], ir.Value], vectors: Sequence[ir.Value]
    ) -> ir.Value:
        """All lanes of all vectors joined, in each lane."""
        found = reduce(join, vectors)
        for distance in (8, 4, 2, 1):
            turned = ir.Constant(INTEGERS, [lane ^ distance for lane in range(LANES)])
            found = join(found, self.build.shuffle_vector(found, found, turned))
        return found

    def call(self, name: str, result: ir.Type, *given: ir.Value) -> ir.Value:
        """One of LLVM's own functions."""
        function = self.module.globals.get(name) or ir.Function(
            self.module, ir.FunctionType(result, [value.type for value in given]), name
        )
        return self.build.call(function, given)

    def loop(
        self,
        count: Whole,
        body: Callable[[ir.Value, list[ir.Value]], Sequence[ir.Value] | None],
        values: Sequence[ir.Value] = (),
    ) -> list[ir.Value]:
        """Repeats something, at least once.

        Args:
            count: how often.
            body: given how often it was done and what it returned last, writes what to do.
            values: what it is given the first time.

        Returns:
            What it returned at last.
        """
        before = self.build.block
        inside = self.build.append_basic_block()
        self.build.branch(inside)
        self.build.position_at_end(inside)
        done, *carried = (self.build.phi(value.type) for value in (self.whole(0), *values))
        found = list(body(done, carried) or ())
        once_more = self.add(done, 1)
        for phi, first, next_one in zip(
            (done, *carried), (self.whole(0), *values), (once_more, *found), strict=True
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(next_one, self.build.block)
        again = self.build.icmp_signed("<", once_more, self.whole(count))
        after = self.build.append_basic_block()
        self.build.cbranch(again, inside, after)
        self.build.position_at_end(after)
        return found

    def _folded(
        self, join: Callable[[ir.Value, ir.Value], ir.Value], numbers: Sequence[Whole]
    ) -> ir.Value:
        return reduce(join, map(self.whole, numbers))


def compiled(writer: Writer, feature: str) -> Callable[[ctypes.Structure], None]:
    """A function as this processor's instructions.

    Args:
        writer: what has written it, to its end.
        feature: what it asks of the processor, as LLVM calls that.

    Returns:
        What calls it with a structure's address, once in each of PyTorch's threads, and waits for
        them.

    Raises:
        AttributeError: PyTorch's threads are not GNU OpenMP's.
        OSError: likewise.
        RuntimeError: the processor has not that feature, or LLVM does not take the function.
    """
    features = llvm.get_host_cpu_features()
    if not features.get(feature):  # LLVM would end the process
        raise RuntimeError(f"LLVM finds no {feature} in this processor")
    # What PyTorch was linked with is found through it.
    parallel = ctypes.CDLL(str(Path(torch.__file__).parent / "lib/libtorch_cpu.so")).GOMP_parallel
    parallel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    parallel.restype = None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=3
    )
    module = llvm.parse_assembly(str(writer.module))
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    tuning.loop_unrolling = False
    passes = llvm.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()

    def run(given: ctypes.Structure) -> None:
        address = engine.get_function_address(writer.module.name)  # holds what made it, too
        parallel(address, ctypes.addressof(given), torch.get_num_threads(), 0)

    return run
