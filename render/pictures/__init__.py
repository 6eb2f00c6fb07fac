"""Pictures as files: written fast, read with care, and where each came from.

picture: any picture read; reading: files of each kind, checked; pillow: Pillow, loaded on first use.
png_writer: PNG files, written fast; tiff: TIFF files, in tiles with a pyramid; packing: zlib streams in bands.
bands: pictures larger than memory, band by band, into a file (sink) or out of one (source).
source: pictures opened, the large ones left in their files.
provenance: the request and who drew it, kept in the file.
"""
