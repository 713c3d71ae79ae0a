"""Words that stand for buttons, in networks where people answer by replying.

A word counts only as the whole of a reply to the card that has the button: money moves by it.
"""

import unicodedata
from collections.abc import Mapping

#: Verb of a button → its words; the first one is the one that the bot proposes.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "pay": (
        "buy", "buy it", "buy this", "pay", "order",
        "买", "购买", "付款", "支付", "下单", "買", "購買", "買う", "購入", "구매", "구입", "결제",
        "comprar", "compro", "pagar", "acheter", "j'achète", "payer", "kaufen", "kauf", "bezahlen",
        "compra", "acquista", "paga", "kopen", "koop", "betalen", "köp", "köpa", "betala", "kjøp",
        "køb", "osta", "kup", "kupuję", "kupić", "koupit", "купить", "покупаю", "купити",
        "satın al", "mua", "beli", "ซื้อ", "खरीदें", "شراء", "اشتري", "קנה", "αγορά",
    ),
    "undo": (
        "undo", "cancel", "take back", "撤销", "撤回", "取消", "取り消し", "취소", "deshacer",
        "anular", "cancelar", "annuler", "rückgängig", "stornieren", "annulla", "desfazer",
        "ongedaan maken", "ångra", "cofnij", "отменить", "отмена", "geri al", "تراجع",
    ),
    "takeback": (
        "take it back", "take back", "undo", "cancel", "撤回", "取消", "取り消し", "취소",
        "cancelar", "annuler", "stornieren", "annulla", "отменить", "отмена",
    ),
    "again": ("again", "buy another", "再买", "もう一つ", "otra vez", "encore", "nochmal", "ещё"),
    "accept": ("accept", "接受", "承認", "aceptar", "accepter", "annehmen", "accetta", "принять"),
    "decline": ("decline", "拒绝", "辞退", "rechazar", "refuser", "ablehnen", "rifiuta"),
    "refund": ("refund", "退款", "返金", "reembolsar", "rembourser", "erstatten", "rimborsa"),
    "topup": ("top up", "topup", "充值", "チャージ", "recargar", "recharger", "aufladen"),
    "confirm": ("confirm", "确认", "確認", "confirmar", "confirmer", "bestätigen"),
    "catyes": ("take it over", "take over", "agree"),
    "catno": ("leave it", "leave"),
    "refuse": ("refuse", "decline", "拒绝", "rechazar", "refuser", "ablehnen"),
}  # fmt: skip

#: Longer texts press nothing. To bring the accents of one in their order takes time that grows with
#: the square of their number.
_LENGTH_MAX = 500

#: Whole messages to the bot that tell it to keep quiet, and to speak again.
_QUIET = (
    "stop", "unsubscribe", "opt out", "quiet", "退订", "停止", "別說了", "やめて", "중지", "그만",
    "parar", "para", "detener", "arrête", "arrêter", "stopp", "abmelden", "basta", "smetti", "pare",
    "stoppen", "sluta", "lopeta", "dur", "стоп", "отписаться", "хватит", "зупинись", "توقف", "قف",
    "די", "עצור", "रुको", "หยุด", "dừng", "berhenti", "σταμάτα",
)  # fmt: skip
_SPEAK = (
    "start", "开始", "開始", "始めて", "시작", "empezar", "commencer", "los", "anmelden", "inizia",
    "começar", "starten", "börja", "aloita", "başla", "старт", "начать", "почати", "ابدأ", "התחל",
    "शुरू", "เริ่ม", "bắt đầu", "mulai", "ξεκίνα",
)  # fmt: skip


def word_of(verb: str) -> str:
    """The word that presses a button of this verb; empty where there is none."""
    return _WORDS.get(verb, ("",))[0]


def plain_words(text: str) -> str:
    """A text as it is compared: case, width, signs and emoji around and in it do not matter.

    Empty for one that is longer than any button's words.
    """
    if len(text) > _LENGTH_MAX:
        return ""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(
        " " if unicodedata.category(sign)[0] in "PSZC" and sign != "'" else sign
        for sign in folded.replace("’", "'")
    )
    return " ".join(kept.split())


def stands_for(verb: str, label: str, words: str) -> bool:
    """Whether `words` (as `plain_words` gives them) press a button of this verb and label."""
    return words in _PLAIN.get(verb, ()) or (bool(words) and words == plain_words(label))


def may_press(words: str) -> bool:
    """Whether `words` could press any button at all; labels are not known here."""
    return any(words in known for known in _PLAIN.values())


def wants_quiet(words: str) -> bool | None:
    """True for a word that tells the bot to keep quiet, False for its opposite, else None."""
    if words in _PLAIN_QUIET:
        return True
    return False if words in _PLAIN_SPEAK else None


_PLAIN = {verb: frozenset(map(plain_words, words)) for verb, words in _WORDS.items()}
_PLAIN_QUIET = frozenset(map(plain_words, _QUIET))
_PLAIN_SPEAK = frozenset(map(plain_words, _SPEAK))
