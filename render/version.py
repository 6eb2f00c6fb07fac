"""The program's version, in a module that imports nothing: the package itself imports what needs it."""

VERSION = "0.1.0"
