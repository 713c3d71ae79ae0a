"""An audit finds each kind of wrong row about trade and about what was published, and names it."""

from tests.wallet_core.audit.harm import Harm, each_is_named

#: Settlements by what they say is pending; the one of CNY 45.95 is done.
SETTLEMENTS: Harm = {
    "a settlement that was done by hand": (
        "UPDATE settlements SET state = 'done' WHERE amount_minor = 4542",
        ("Settlement ", "is done and moves CNY 45.42, but its transfers do not"),
    ),
    "a settlement that is to be done again": (
        "UPDATE settlements SET state = 'pending' WHERE amount_minor = 4595",
        ("Settlement ", "is pending and moves nothing, but its transfers do not"),
    ),
    "a settlement that is gone": (
        "DELETE FROM settlements WHERE amount_minor = 4542",
        ("Transfer ", "puts money on merchant:m_parts/pending/CNY without a settlement"),
    ),
    "a done settlement that is gone": (
        "DELETE FROM settlements WHERE amount_minor = 4595",
        ("Transfer ", "is about settlement:o_", "which is not there"),
    ),
    "a settlement of nothing that is gone": (
        "DELETE FROM settlements WHERE amount_minor = 0",
        ("Transfer ", "puts money on merchant:m_parts/pending/CNY without a settlement"),
    ),
    "a settlement's amount": (
        "UPDATE settlements SET amount_minor = 3699 WHERE amount_minor = 3700",
        ("Settlements of order:o_", " say CNY 128.36, but its transfers left CNY 128.37 on"),
    ),
    "a done settlement's amount": (
        "UPDATE settlements SET amount_minor = 4594 WHERE amount_minor = 4595",
        ("Settlement ", "is done and moves CNY 45.94, but its transfers do not"),
    ),
    "a settlement of more than was earned": (
        "UPDATE settlements SET amount_minor = 3701 WHERE amount_minor = 3700",
        ("Settlement ", "says CNY 37.01, but its capture made CNY 37.00 pending"),
    ),
    "a settlement for another shop": (
        "UPDATE settlements SET merchant_id = 'm_shop' WHERE amount_minor = 3700",
        ("Settlement ", "says CNY 37.00, but its capture made CNY 0.00 pending"),
    ),
    "a settlement in another currency": (
        "UPDATE settlements SET currency = 'USD' WHERE amount_minor = 3700",
        ("Settlement ", "says USD 37.00, but its capture made USD 0.00 pending"),
    ),
    "a settlement of another order": (
        "UPDATE settlements SET order_id = 'o_x' WHERE amount_minor = 3700",
        ("Settlement ", "is of no capture of order o_x"),
    ),
    "a settlement that nothing earned": (
        (
            "INSERT INTO settlements SELECT $new, order_id, merchant_id, currency, amount_minor, "
            "state, due_at_us FROM settlements WHERE amount_minor = 3700"
        ),
        ("Settlement ", "is of no capture of order o_"),
    ),
    "a settlement's state": (
        "UPDATE settlements SET state = 'lost' WHERE amount_minor = 3700",
        ("Settlement ", "is lost, which no settlement can be"),
    ),
}

#: `x_0` is done, `x_1` was offered; both give USD 9.70 for CNY 70.00.
CONVERSIONS: Harm = {
    "a conversion that was done by hand": (
        "UPDATE conversions SET state = 'done' WHERE id = 'x_1'",
        ("Conversion x_1 is done and moves USD 9.70 for CNY 70.00, but its transfers do not.",),
    ),
    "a conversion that is offered again": (
        "UPDATE conversions SET state = 'offered' WHERE id = 'x_0'",
        ("Conversion x_0 is offered and moves nothing, but its transfers do not.",),
    ),
    "a conversion that is gone": (
        "DELETE FROM conversions WHERE id = 'x_0'",
        ("Transfer ", "is about conversion:x_0, which is not there"),
    ),
    "a conversion's transfer that says something else": (
        "UPDATE transfers SET subject = 'gift' WHERE subject = 'conversion:x_0'",
        ("Transfer ", "moves money on exchange:ecb/exchange/", "without a conversion"),
    ),
    "a conversion that sold more, within the rounding": (
        "UPDATE conversions SET sold_minor = 7001 WHERE id = 'x_0'",
        ("Conversion x_0 is done and moves USD 9.70 for CNY 70.01, but its transfers do not.",),
    ),
    "a conversion that bought more": (
        "UPDATE conversions SET bought_minor = 971 WHERE id = 'x_1'",
        ("Conversion x_1 gives USD 9.71 for CNY 70.00, which its rate 7/50 does not make.",),
    ),
    "a conversion for another wallet": (
        "UPDATE conversions SET wallet_id = 'w_x' WHERE id = 'x_0'",
        ("Conversion x_0 is done", "but its transfers do not"),
    ),
    "a conversion at the rates of somebody else": (
        "UPDATE conversions SET source = 'table' WHERE id = 'x_0'",
        ("Conversion x_0 is done", "but its transfers do not"),
    ),
    "a conversion's rate": (
        "UPDATE conversions SET rate = '4/25' WHERE id = 'x_0'",
        ("Conversion x_0 gives USD 9.70 for CNY 70.00, which its rate 4/25 does not make.",),
    ),
    "a conversion's rate that is no number": (
        "UPDATE conversions SET rate = 'high' WHERE id = 'x_0'",
        ("Conversion x_0 has the rate 'high', which is no number.",),
    ),
    "a conversion's spread": (
        "UPDATE conversions SET spread_ppm = 0 WHERE id = 'x_0'",
        ("Conversion x_0 gives USD 9.70 for CNY 70.00, which its rate 7/50 does not make.",),
    ),
    "a conversion with more spread than there is": (
        "UPDATE conversions SET spread_ppm = 1000000 WHERE id = 'x_0'",
        ("Conversion x_0 has the rate 7/50 and a spread of 1000000 millionths.",),
    ),
    "a conversion that buys nothing": (
        "UPDATE conversions SET bought_minor = 0 WHERE id = 'x_1'",
        ("Conversion x_1 gives USD 0.00 for CNY 70.00, which converts nothing.",),
    ),
    "a conversion that pays for something else": (
        "UPDATE conversions SET quote_id = 'q_0' WHERE id = 'x_1'",
        ("Conversion x_1 gives USD 9.70 for CNY 70.00, which is not the price of q_0.",),
    ),
    "a conversion's state": (
        "UPDATE conversions SET state = 'lost' WHERE id = 'x_1'",
        ("Conversion x_1 is lost, which no conversion can be.",),
    ),
}

FUNDING: Harm = {
    "a top-up that was done by hand": (
        "UPDATE funding_requests SET state = 'done' WHERE amount_minor = 333",
        ("Top-up ", "is done and moves CNY 3.33, but its transfers do not"),
    ),
    "a top-up that may be done again": (
        "UPDATE funding_requests SET state = 'pending' WHERE amount_minor = 111",
        ("Top-up ", "is pending and moves nothing, but its transfers do not"),
    ),
    "a top-up that is gone": (
        "DELETE FROM funding_requests WHERE amount_minor = 111",
        ("Transfer ", "is about topup:f_", "which is not there"),
    ),
    "a top-up's amount": (
        "UPDATE funding_requests SET amount_minor = 112 WHERE amount_minor = 111",
        ("Top-up ", "is done and moves CNY 1.12, but its transfers do not"),
    ),
    "what a top-up is for": (
        "UPDATE funding_requests SET quote_id = 'q_x' WHERE amount_minor = 111",
        ("Top-up ", "is for a quote that is not there"),
    ),
    "a top-up's owner": (
        "UPDATE funding_requests SET owner = 'wallet:w_x' WHERE amount_minor = 111",
        ("Top-up ", "is done and moves CNY 1.11, but its transfers do not"),
    ),
    "a top-up's provider": (
        "UPDATE funding_requests SET provider = 'points' WHERE amount_minor = 111",
        ("Top-up ", "is done and moves CNY 1.11, but its transfers do not"),
    ),
    "a request's kind": (
        "UPDATE funding_requests SET kind = 'gift' WHERE amount_minor = 333",
        ("Top-up ", "is a gift that is pending, which none can be"),
    ),
    "a top-up's state": (
        "UPDATE funding_requests SET state = 'lost' WHERE amount_minor = 333",
        ("Top-up ", "is a topup that is lost, which none can be"),
    ),
    "a payout that is gone": (
        "DELETE FROM funding_requests WHERE amount_minor = 1000",
        ("Hold ", "is about a payout that is not there"),
    ),
    "a payout of another hold": (
        "UPDATE funding_requests SET hold_id = $new WHERE amount_minor = 1000",
        ("Hold ", "is about a payout that is not there"),
    ),
    "a payout's owner": (
        "UPDATE funding_requests SET owner = 'wallet:w_x' WHERE amount_minor = 1000",
        ("Payout ", "and its hold name other people"),
    ),
    "a payout's provider": (
        "UPDATE funding_requests SET provider = 'points' WHERE amount_minor = 1000",
        ("Payout ", "and its hold name other people"),
    ),
    "a payout that goes out by itself": (
        "UPDATE holds SET ending = 'capture' WHERE amount_minor = 1000",
        ("Payout ", "goes out by nobody's word: its hold ends by capture"),
    ),
    "what a payout's hold is about": (
        "UPDATE holds SET subject = 'gift' WHERE amount_minor = 1000",
        ("Payout ", "has a hold that is about 'gift'"),
    ),
}

ORDERS: Harm = {
    "a quote's price": (
        "UPDATE quotes SET amount_minor = 1 WHERE id = 'q_0'",
        ("Order ", "costs CNY 199.00, but its quote was of CNY 0.01"),
    ),
    "a quote's currency": (
        "UPDATE quotes SET currency = 'USD' WHERE id = 'q_0'",
        ("Order ", "costs CNY 199.00, but its quote was of USD 199.00"),
    ),
    "an order that is captured though nobody took it": (
        "UPDATE orders SET accepted = false WHERE hold_id = $open",
        ("Order ", "ends by expire, but its hold by capture"),
    ),
    "an order that was taken and goes back by itself": (
        "UPDATE holds SET ending = 'expire' WHERE id = $open",
        ("Order ", "ends by capture, but its hold by expire"),
    ),
    "what was taken of an order": (
        "UPDATE orders SET taken = NULL WHERE quote_id = 'q_shipped'",
        (
            "Order ",
            (
                "says CNY 0.00 taken and CNY 0.00 returned for house:own/fees/CNY, but its "
                "transfers made it CNY 3.28 taken and CNY 0.99 returned"
            ),
        ),
    ),
    "what was taken of an order, unreadable": (
        "UPDATE orders SET taken = 'much' WHERE quote_id = 'q_shipped'",
        ("Order ", "says in no readable way what was taken of it"),
    ),
    "what nobody took": (
        "UPDATE orders SET taken = '{\"house:tax/fees/CNY\":[1,0]}' WHERE quote_id = 'q_0'",
        ("Order ", "says CNY 0.01 taken and CNY 0.00 returned for house:tax/fees/CNY"),
    ),
    "a payment by consent that is gone": (
        "DELETE FROM consented_payments WHERE n = 1",
        ("Payment 2 by consent of w_", "stands where number 1 is due"),
    ),
    "a payment by consent without its order": (
        "UPDATE consented_payments SET order_id = 'o_x' WHERE n = 2",
        ("Payment 2 by consent of w_", "is the order o_x, which is not there"),
    ),
}

PUBLISHED: Harm = {
    "a statement's text": (
        "UPDATE liability_statements SET signed = 'nothing' $newest 'CNY'",
        ("Proof ", " in CNY proves nothing. It is not a signed text"),
    ),
    "a statement's number of leaves": (
        "UPDATE liability_statements SET leaf_count = 7 $newest 'CNY'",
        ("Proof ", " in CNY says something else than what was signed"),
    ),
    "another proof's statement": (
        (
            "UPDATE liability_statements SET signed = (SELECT min(signed) FROM "
            "liability_statements WHERE currency = 'USD') $newest 'CNY'"
        ),
        ("Proof ", " in CNY says something else than what was signed"),
    ),
    "an old statement's moment": (
        (
            "UPDATE liability_statements SET at_us = 1 WHERE currency = 'CNY' AND proof = "
            "(SELECT min(proof) FROM liability_statements)"
        ),
        ("Proof ", " in CNY says something else than what was signed"),
    ),
    "a leaf's amount": (
        "UPDATE liability_leaves SET amount_minor = amount_minor - 1 $oldest 'USD'",
        ("Proof ", " in USD has another leaf 0 than the one that was hashed"),
    ),
    "a leaf's owner": (
        "UPDATE liability_leaves SET owner = 'person:p_x' $newest 'USD'",
        ("Proof ", " in USD has another leaf 0 than the one that was hashed"),
    ),
    "a leaf that is gone": (
        "DELETE FROM liability_leaves $newest 'CNY' AND position = 0",
        ("Proof ", " in CNY misses leaf 0: the next one there is 1"),
    ),
    "the last leaf that is gone": (
        "DELETE FROM liability_leaves $newest 'CNY' AND position = 5",
        ("Proof ", " in CNY says 6 leaves and has 5"),
    ),
    "a tree's only leaf": (
        "DELETE FROM liability_leaves $newest 'USD'",
        ("Proof ", " in USD says 1 leaves and has 0"),
    ),
    "a leaf's node": (
        (
            "UPDATE liability_nodes SET sum_minor = sum_minor - 1 $newest 'CNY' AND level = 0 "
            "AND position = 2"
        ),
        ("Proof ", " in CNY has another leaf 2 than the one that was hashed"),
    ),
    "a node's sum": (
        (
            "UPDATE liability_nodes SET sum_minor = sum_minor - 1 $newest 'CNY' AND level = 1 "
            "AND position = 0"
        ),
        ("Proof ", " in CNY has another node 0 of level 1 than what is below it makes"),
    ),
    "a node that goes up as it is": (
        (
            "UPDATE liability_nodes SET sum_minor = sum_minor - 1 $newest 'CNY' AND level = 2 "
            "AND position = 1"
        ),
        ("Proof ", " in CNY has another node 1 of level 2 than what is below it makes"),
    ),
    "a node that is gone": (
        "DELETE FROM liability_nodes $newest 'CNY' AND level = 1 AND position = 0",
        ("Proof ", " in CNY misses a node before 1 of level 1"),
    ),
    "the root that is gone": (
        "DELETE FROM liability_nodes $newest 'CNY' AND level = 3",
        ("Proof ", " in CNY has no tree of 6 leaves"),
    ),
    "another tree than the stated one": (
        (
            "UPDATE liability_leaves SET salt = (SELECT salt FROM liability_leaves $oldest 'USD') "
            "$newest 'USD'; UPDATE liability_nodes SET digest = (SELECT digest FROM "
            "liability_nodes $oldest 'USD') $newest 'USD'"
        ),
        ("Proof ", " in USD states another root than its tree has"),
    ),
}

TRADE: Harm = {**SETTLEMENTS, **CONVERSIONS, **FUNDING, **ORDERS}


async def test_every_kind_of_wrong_row_about_trade_is_named(database_url: str) -> None:
    await each_is_named(database_url, TRADE)


async def test_every_kind_of_wrong_row_of_what_was_published_is_named(database_url: str) -> None:
    await each_is_named(database_url, PUBLISHED)
