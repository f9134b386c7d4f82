"""The watchtower: keeps the newest vouchers of channels and submits them when somebody closes below them."""
