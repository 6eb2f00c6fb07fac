"""Pictures as files: written fast, read with care, and where each came from.

picture: PNG written, any picture read; reading: files of each kind, checked; pillow: Pillow, loaded on first use.
packing: zlib streams in bands; provenance: what was asked and who drew, kept in the file.
"""
