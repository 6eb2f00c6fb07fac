"""Pictures as files: written fast, read with care, and where each came from.

picture: PNG written, any picture read; reading: files of each kind, checked; pillow: Pillow, loaded on first use.
packing: zlib streams in bands; tiff: TIFF files, in tiles with a pyramid; bands: pictures larger than memory, band by
band, into a file (sink) or out of one (source); source: pictures opened, the large ones left in their files;
provenance: the request and who drew it, kept in the file.
"""
