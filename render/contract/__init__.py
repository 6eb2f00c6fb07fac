"""Whether a scene keeps the contract that `render.scene` states; told with the rule and the line.

rules: what its file must have; plain_code: what its functions may never do; trial: its functions tried out.
foreign_code: where its file and its `prepare` run.
"""
