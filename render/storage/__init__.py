"""Storage: what is to survive this process, whatever happens to it, and what is not.

lock              a lock of the operating system on a file, which goes with its holder
whole_file        a file that is either whole and on the disk, or as it was before
growing_file      a file that grows, and can be read at every instant
temporary_folder  a folder that goes with its owner, however that ends
journal           the tiles of a picture that are done, kept beside it while it is painted
journal_file      what is in a journal
"""
