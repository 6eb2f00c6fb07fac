"""The emulated GPU's memory: pieces of this process's memory, found by their real addresses, checked at every access.

Around each piece lies a margin that belongs to nobody, so that a step over the edge is noticed and harms nothing.
"""

from __future__ import annotations

import numpy as np

MARGIN = 256  # bytes on either side, and what every piece is aligned to, as on a GPU
FRESH = 0xCD  # what nobody has written yet


class StrayError(Exception):
    """An access that no thread may make: which of the accesses it is, where, and why."""

    def __init__(self, position: int, address: int, reason: str) -> None:
        super().__init__(f"address {address:#x} {reason}")
        self.position = position


class Piece:
    """So many bytes that lie together, in one state space; `address` is where they begin."""

    def __init__(self, size: int, space: str) -> None:
        self.space, self.size = space, size
        self._all = np.full(size + 3 * MARGIN, FRESH, np.uint8)
        start = -self._all.ctypes.data % MARGIN + MARGIN
        self.bytes = self._all[start : start + size]
        self.address = self._all.ctypes.data + start

    def typed(self, dtype: np.dtype) -> np.ndarray:
        """The bytes as values of a type, as far as whole values go."""
        return self.bytes[: self.size // dtype.itemsize * dtype.itemsize].view(dtype)


class Memory:
    """All pieces that are there now."""

    def __init__(self) -> None:
        self.pieces: dict[int, Piece] = {}
        self._order: list[Piece] = []
        self._starts = self._ends = np.zeros(0, np.uint64)

    def allocate(self, size: int, space: str = "global") -> int:
        """A new piece; gives its address."""
        if size <= 0:
            raise ValueError(f"{size} bytes asked for")
        piece = Piece(size, space)
        self.pieces[piece.address] = piece
        self._sort()
        return piece.address

    def free(self, address: int) -> None:
        """Give a piece back. Raises KeyError where none begins here."""
        del self.pieces[int(address)]
        self._sort()

    def bytes(self, address: int, size: int) -> np.ndarray:
        """So many bytes from an address on, to be read or written. Raises StrayError where they are not all there."""
        piece, places = self._found(np.array([address], np.uint64), size, 1, "")[0]
        start = int(places[0])
        return piece.bytes[start : start + size]

    def gather(self, addresses: np.ndarray, dtype: np.dtype, space: str) -> np.ndarray:
        """The values at these addresses; `space` is where they must lie ("": anywhere). Raises StrayError."""
        values = np.empty(len(addresses), dtype)
        for piece, places, which in self._parts(addresses, dtype, space):
            values[which] = piece.typed(dtype)[places]
        return values

    def scatter(self, addresses: np.ndarray, values: np.ndarray, space: str) -> None:
        """Write the values; of several to one address the last stays. Raises StrayError."""
        for piece, places, which in self._parts(addresses, values.dtype, space):
            self._writable(piece, which, addresses)
            piece.typed(values.dtype)[places] = values[which]

    def places(self, addresses: np.ndarray, dtype: np.dtype, space: str) -> list[tuple[np.ndarray, int]]:
        """For each address the typed piece it lies in and the index there, to be read and written in turn."""
        found: list[tuple[np.ndarray, int]] = [(np.zeros(0, dtype), 0)] * len(addresses)
        for piece, places, which in self._parts(addresses, dtype, space):
            self._writable(piece, which, addresses)
            typed = piece.typed(dtype)
            for position, place in zip(which.tolist(), places.tolist(), strict=True):
                found[position] = typed, place
        return found

    @staticmethod
    def _writable(piece: Piece, which: np.ndarray, addresses: np.ndarray) -> None:
        if piece.space in {"param", "const"}:
            raise StrayError(
                int(which[0]), int(addresses[which[0]]), f"is written, but {piece.space} memory is constant"
            )

    def _parts(self, addresses: np.ndarray, dtype: np.dtype, space: str) -> list[tuple[Piece, np.ndarray, np.ndarray]]:
        """By piece: the indices in it, and which of the addresses they are."""
        everything = np.arange(len(addresses))
        found = self._found(addresses, dtype.itemsize, dtype.itemsize, space)
        if len(found) == 1:
            return [(piece, places // dtype.itemsize, everything) for piece, places in found]
        numbers = self._numbers(addresses)
        which = [everything[numbers == self._order.index(piece)] for piece, _ in found]
        return [(piece, places // dtype.itemsize, mine) for (piece, places), mine in zip(found, which, strict=True)]

    def _numbers(self, addresses: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._starts, addresses, side="right") - 1

    def _found(self, addresses: np.ndarray, size: int, align: int, space: str) -> list[tuple[Piece, np.ndarray]]:
        """By piece: how far behind its beginning the addresses lie. Raises StrayError for the first that does not."""
        numbers = self._numbers(addresses)
        if not self._order:
            raise StrayError(0, int(addresses[0]), "lies in no memory of the GPU")
        outside = (numbers < 0) | (addresses > self._ends[numbers] - np.uint64(size))
        self._first(outside, addresses, "lies in no memory of the GPU")
        self._first(addresses % np.uint64(align) != 0, addresses, f"is no multiple of {align}")
        found = []
        for number in np.unique(numbers).tolist():
            piece, mine = self._order[number], numbers == number
            if space and piece.space != space:
                self._first(mine, addresses, f"lies in {piece.space} memory, not {space}")
            found.append((piece, (addresses[mine] - np.uint64(piece.address)).astype(np.int64)))
        return found

    @staticmethod
    def _first(wrong: np.ndarray, addresses: np.ndarray, reason: str) -> None:
        if wrong.any():
            position = int(np.flatnonzero(wrong)[0])
            raise StrayError(position, int(addresses[position]), reason)

    def _sort(self) -> None:
        self._order = [self.pieces[address] for address in sorted(self.pieces)]
        self._starts = np.array([piece.address for piece in self._order], np.uint64)
        self._ends = np.array([piece.address + piece.size for piece in self._order], np.uint64)
