"""Checks that a scene keeps the contract that `render.scene` states; a fault is reported with its rule and line.

rules: what its file must have; plain_code: what its functions may never do; trial: its functions tried out.
foreign_code: where its file and its `prepare` run.
"""
