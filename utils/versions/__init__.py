"""One stack at several sets of versions: which is pinned, what is called otherwise, what has changed.

The rule kept here: no version is typed and no line number remembered.  What is
said of a version is computed from the packages, or from what a recording keeps
of them.

    pins       the versions that the walkthrough was checked with
    drift      what is said where a library has renamed what a notebook names
    stackdiff  one journey in two recordings, step by step
    claims     what the report says of the stack, held against both
"""
