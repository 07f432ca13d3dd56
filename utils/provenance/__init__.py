"""Each byte of a message → the line that wrote it and the line that read it.

The rule kept here: a ledger, not a taint.  At each step that encodes or
decodes, what went in and what came out were recorded; both are compared with
the bytes on the wire.  What is not equal, or was not recorded, is not
explained, and is counted.

    codecs, writers, readers, carriers
             which functions write and read which fields: data only
    values   what a snapshot's text says, as values
    fragments, forms
             the forms that a message takes, from the wire inwards; of one in several frames, its parts
    past     which calls can have led to a send, and which a receive led to
    origin   where a value came from: the call that had it first
    witnesses, proofs
             the recorded steps that hold a form, each held against the wire
    handover the values in a message, and whose they are
    ledger   what is told of one message; made in ``book``
"""
