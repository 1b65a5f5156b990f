"""Every mutant of a checker, in the order of the page."""

from verify.checkers import bench_mutants, core_mutants, judge_mutants, store_mutants
from verify.checkers.mutant import Mutant as Mutant

MUTANTS: tuple[Mutant, ...] = (
    *bench_mutants.MUTANTS,
    *core_mutants.MUTANTS,
    *judge_mutants.MUTANTS,
    *store_mutants.MUTANTS,
)
