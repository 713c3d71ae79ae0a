"""What was paid lately because its payer had allowed such payments beforehand."""

import sqlalchemy as sa

from wallet_core.commerce.records import ConsentedSum, OrderState
from wallet_core.storage import tables as t
from wallet_core.storage.database import Database
from wallet_core.storage.trade_tables import consented_payments as c

#: What ended without money gives its share back; a refund does not, as everywhere with limits.
_GIVEN_BACK = (OrderState.UNDONE, OrderState.DECLINED, OrderState.EXPIRED)


async def consented_sum(
    database: Database, wallet_id: str, currency: str, since_us: int
) -> ConsentedSum:
    """Such payments of a wallet, and of those that count together with it, after `since_us`."""
    own = sa.select(t.wallets.c.limit_group).where(t.wallets.c.id == wallet_id)
    together = sa.select(t.wallets.c.id).where(
        sa.or_(t.wallets.c.id == wallet_id, t.wallets.c.limit_group == own.scalar_subquery())
    )
    spent = (
        sa.select(sa.func.sum(t.orders.c.amount_minor))
        .join(c, c.c.order_id == t.orders.c.id)
        .where(
            t.orders.c.wallet_id.in_(together),
            t.orders.c.created_at_us > since_us,
            t.orders.c.currency == currency,
            t.orders.c.state.not_in(_GIVEN_BACK),
        )
    )
    async with database.read() as connection:
        group = (await connection.execute(own)).scalar_one_or_none()
        counted_with = group or wallet_id
        last = sa.select(sa.func.max(c.c.n)).where(c.c.counted_with == counted_with)
        # The number before the sum: whatever is counted in between takes the number away.
        n = (await connection.execute(last)).scalar() or 0
        spent_minor = (await connection.execute(spent)).scalar() or 0
    return ConsentedSum(counted_with, int(n), int(spent_minor))
