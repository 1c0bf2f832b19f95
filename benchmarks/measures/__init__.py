"""What is measured: each module has one function measure(), which returns plain data for JSON.

Lists have one value for each round, in the order of the rounds.
"""
