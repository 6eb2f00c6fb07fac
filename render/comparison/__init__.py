"""Two pictures side by side, or one looked at.

compare: metrics; difference: the picture of them; attribution: whose tiles differ; inspection: what a picture is.
"""
