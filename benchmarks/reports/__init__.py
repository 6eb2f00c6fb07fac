"""What is made of records of runs: figures, verdicts, Markdown, and one page; each from the same pure tables.

figures    numbers from samples: times, ratios, rates, speed-ups, where modes cross
findings   the sentences that a report begins with
markdown   a report for a terminal, an issue or a README
page       one HTML file that needs nothing else
charts     its charts, as SVG
"""
