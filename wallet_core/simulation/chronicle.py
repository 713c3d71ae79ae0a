"""What was asked of the books, and what people were told; nothing here is ever killed."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from wallet_core.ledger.commits import Commit, WriterPort, Written
from wallet_core.simulation.town import Deed


@dataclass
class Chronicle:
    """`told` is event id → outcomes that somebody was told; `asked` is key → commits under it.

    `acted` is event id → wallets from which somebody acted, each time that it was worked on.
    """

    deeds: dict[str, Deed] = field(default_factory=dict)
    acted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    told: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, list[Commit]] = field(default_factory=lambda: defaultdict(list))
    wrong: str | None = None

    def note_wrong(self, sentence: str) -> None:
        """Keep the first thing that is wrong."""
        if self.wrong is None:
            self.wrong = sentence

    def tell(self, deed: Deed, outcome: str | None) -> str:
        """An event's answer was given to whoever caused it."""
        if outcome is None:
            self.note_wrong(f"{deed} was answered, and no answer stands in the books.")
            return "nothing"
        told = self.told[deed.event_id]
        if any(earlier != outcome for earlier in told):
            self.note_wrong(f"{deed} was answered {outcome}, and before that {told[0]}.")
        told.append(outcome)
        return outcome

    def check_fences(
        self, before: Mapping[str, int], after: Mapping[str, int], key: str, result: str
    ) -> None:
        """Note a commit that was written although a newer lease than its own had been given.

        `before` and `after` are the fences of all wallets around the transaction that wrote it.
        """
        asked = [commit for commit in self.asked.get(key, ()) if commit.result == result]
        if asked and not any(
            all(before[w] <= fence <= after[w] for w, fence in commit.fences.items())
            for commit in asked
        ):
            fences = dict(asked[0].fences)
            self.note_wrong(f"{key} was written under the fences {fences}, which are outdated.")


@dataclass
class Witness:
    """A `WriterPort` that writes down what it is asked, and hands it on."""

    writer: WriterPort
    chronicle: Chronicle

    async def commit(self, commit: Commit) -> Written:
        """See `WriterPort`."""
        self.chronicle.asked[commit.key].append(commit)
        return await self.writer.commit(commit)

    async def written(self, key: str) -> Written | None:
        """See `WriterPort`."""
        return await self.writer.written(key)

    async def raise_fence(self, wallet_id: str) -> int:
        """See `WriterPort`."""
        return await self.writer.raise_fence(wallet_id)
