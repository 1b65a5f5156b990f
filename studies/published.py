"""Figures that others published for a dataset's network, and the counts they must come from."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, permutations, product

Matrix = tuple[tuple[int, ...], ...]

# Floats of 16 digits: a mean of three quotients may be a few units of the last one off.
SAME = Fraction(1, 10**13)


@dataclass(frozen=True)
class Published:
    """Accuracy, macro precision and macro recall, as ``source`` states them."""

    accuracy: float
    precision: float
    recall: float
    source: str


@dataclass(frozen=True)
class Counts:
    """A confusion matrix, rows by label, that gives published figures exactly."""

    matrix: Matrix

    @property
    def samples(self) -> int:
        """All of them."""
        return sum(map(sum, self.matrix))

    @property
    def correct(self) -> int:
        """Those on the diagonal."""
        return sum(row[k] for k, row in enumerate(self.matrix))

    @property
    def recalls(self) -> tuple[tuple[int, int], ...]:
        """``(correct, samples)`` of each class."""
        return tuple((row[k], sum(row)) for k, row in enumerate(self.matrix))


PUBLISHED = {
    "iris": Published(
        accuracy=0.9833333333333333,
        precision=0.9844961240310077,
        recall=0.983739837398374,
        source="D. Kaukinen, Deep Learning FPGA Acceleration with Python, part 2, 2023",
    )
}


def decode(published: Published, classes: int, most: int) -> list[Counts]:
    """Every confusion matrix that gives the published figures, up to the order of the classes.

    Tries all subsets of a dataset that has ``most`` samples of each of its ``classes``.

    >>> [counts.matrix for counts in decode(PUBLISHED["iris"], classes=3, most=50)]
    [((38, 0, 0), (0, 39, 2), (0, 0, 41))]
    """
    found = set()
    for samples in range(1, classes * most + 1):
        correct = round(published.accuracy * samples)
        if _same(Fraction(correct, samples), published.accuracy):
            for sizes in combinations_with_replacement(range(1, most + 1), classes):
                if sum(sizes) == samples:
                    matrices = _matrices(sizes, samples - correct)
                    found |= {_ordered(m) for m in matrices if _gives(m, published)}
    return [Counts(matrix) for matrix in sorted(found)]


def _ordered(matrix: Matrix) -> Matrix:
    """The least of the matrices that differ in the order of their classes only."""
    orders = permutations(range(len(matrix)))
    return min(tuple(tuple(matrix[i][j] for j in order) for i in order) for order in orders)


def _same(exact: Fraction, printed: float) -> bool:
    return abs(exact - Fraction(printed)) < SAME


def _matrices(sizes: tuple[int, ...], wrong: int) -> Iterator[Matrix]:
    """All matrices with these row sums and ``wrong`` samples off the diagonal."""
    cells = [(i, j) for i, j in product(range(len(sizes)), repeat=2) if i != j]
    for errors in combinations_with_replacement(cells, wrong):
        matrix = [[0] * len(sizes) for _ in sizes]
        for i, j in errors:
            matrix[i][j] += 1
        for k, size in enumerate(sizes):
            matrix[k][k] = size - sum(matrix[k])
        if all(matrix[k][k] >= 0 for k in range(len(sizes))):
            yield tuple(map(tuple, matrix))


def _gives(matrix: Matrix, published: Published) -> bool:
    classes = range(len(matrix))
    recalls = [Fraction(matrix[k][k], sum(matrix[k])) for k in classes]
    if not _same(Fraction(sum(recalls), len(matrix)), published.recall):
        return False
    columns = [sum(row[k] for row in matrix) for k in classes]
    precisions = [
        Fraction(matrix[k][k], columns[k]) if columns[k] else Fraction(0) for k in classes
    ]
    return _same(Fraction(sum(precisions), len(matrix)), published.precision)
