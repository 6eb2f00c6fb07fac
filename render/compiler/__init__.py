"""From a scene's plain functions to machine code: what the compiled targets are made of.

    retarget     copies plain functions, with other words and other names in them; and their fingerprint
    slots        the places in the driver that a scene fills
    driver       the loop around a scene, in the lane vocabulary
    lane_types   numba's extension type for lanes
    native       compile to object code, load object code, without numba when it is loaded
    code_cache   object code kept between runs
"""
