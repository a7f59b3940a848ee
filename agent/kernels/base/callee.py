"""Kernels that are called from compiled code alone: typed and lowered, but not optimized and not made machine code of.

Numba makes each function it compiles ready to be called from Python, and optimizes it, before what calls it takes it in
and optimizes it again. Where some 160 kernels lie seven deep in one step, that is more than half of the time that the
first start takes. Here a kernel stays as it was lowered until the `jit.entry` that everything is inlined into is
optimized, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core.compiler import CompilerBase, DefaultPassBuilder, _LowerResult
from numba.core.compiler_machinery import register_pass
from numba.core.funcdesc import PythonFunctionDescriptor
from numba.core.lowering import Lower
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering


class _Lower(Lower):  # type: ignore[misc]
    """Lowering without counts of references: kernels are given all arrays, and own none.

    So a kernel must not return an array that it was given. A span of it (`arrays.span`) owns nothing.
    """

    def incref(self, *_: Any) -> None:
        """Count nothing."""

    decref = incref


@register_pass(mutates_CFG=True, analysis_only=False)
class _CalleeLowering(NativeLowering):  # type: ignore[misc]
    """Numba's own pass without its last steps: wrappers, optimization and machine code."""

    _name = "callee_lowering"

    def run_pass(self, state: Any) -> bool:
        context, flags = state.targetctx, state.flags
        library = state.library = context.codegen().create_library(state.func_id.func_qualname)
        library.enable_object_caching()
        library._optimize_functions = _leave
        library.finalize = lambda: _finish(library)
        description = PythonFunctionDescriptor.from_specialized_function(
            *(state.func_ir, state.typemap, state.return_type, state.calltypes),
            mangler=context.mangler,
            inline=flags.forceinline,
            noalias=getattr(state.func_id.func, "disjoint", False),
            abi_tags=[flags.get_mangle_string()],
        )
        with context.push_code_library(library):
            lower = _Lower(context, library, description, state.func_ir, metadata=state.metadata)
            lower.lower()

        def handle(*_: Any) -> None:  # callers find the code by it; a new one each time
            raise AssertionError

        # Whoever calls this links all that lies below it: linked at each level, a kernel would be copied many times.
        context.insert_user_function(handle, description, [library, *library._linking_libraries])
        state["cr"] = _LowerResult(description, lower.call_helper, cfunc=handle, env=lower.env)
        return True


def _leave(*_: Any) -> None:
    """Optimize nothing."""


def _finish(library: Any) -> None:
    library._finalize_dynamic_globals()
    library._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _EntryLowering(NativeLowering):  # type: ignore[misc]
    """Numba's own pass, whose code is optimized once, not twice: the first time is for counts of references."""

    _name = "entry_lowering"

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        if hasattr(library._codegen, "_pass_builder"):  # of newer versions of Numba
            library._optimize_final_module = lambda: _optimize(library)
        library.enable_object_caching()
        state.library = library
        return bool(super().run_pass(state))


def _optimize(library: Any) -> None:
    passes, builder = library._codegen._module_pass_manager()
    passes.run(library._final_module, builder)


def _compiler(lowering: type) -> type:
    class Compiler(CompilerBase):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state, lowering.__name__)
            pipeline.passes = [(lowering if step is NativeLowering else step, about) for step, about in pipeline.passes]
            pipeline.finalize()
            return [pipeline]

    return Compiler


_CALLEE_COMPILER = _compiler(_CalleeLowering)
# The compiler of what is called from Python.
ENTRY_COMPILER = _compiler(_EntryLowering)


_callees: list[Callee] = []


def forget() -> None:
    """Have all kernels compiled anew when they are next called from code that is compiled."""
    for kernel in _callees:
        kernel.overloads.clear()


class Callee(CPUDispatcher):  # type: ignore[misc]
    """A kernel as `numba.njit` would give it, to be called from compiled code.

    Called from Python, by a test or to try it out, it is compiled anew, to be called from there.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions={"nopython": True, **options}, pipeline_class=_CALLEE_COMPILER)
        self._from_python: Any = None
        _callees.append(self)

    def __call__(self, *arguments: Any) -> Any:
        """Run code that is compiled for it, for the types of these arguments."""
        if self._from_python is None:
            self._from_python = CPUDispatcher(self.py_func, targetoptions=self.targetoptions)
        return self._from_python(*arguments)

    def _insert(self, *_: Any, **__: Any) -> None:
        """Keep what is compiled from being found by a call from Python."""
