"""What is for sale at the start can be sold by the house's own rules."""

from __future__ import annotations

from lab_server.catalogue import LOTS
from lab_server.messages import MAX_PICTURE, OpenLot, parse, picture_type


def test_every_lot_would_be_accepted_from_an_auctioneer() -> None:
    for lot in LOTS:
        fields = {name: getattr(lot, name) for name in OpenLot.model_fields}
        assert parse(OpenLot, (fields,)).model_dump() == fields


def test_every_lot_has_a_picture_of_its_own() -> None:
    pictures = [lot.picture for lot in LOTS]
    assert len(set(pictures)) == len(LOTS)
    for picture in pictures:
        assert picture is not None
        assert len(picture) <= MAX_PICTURE
        assert picture_type(picture) == "image/png"
