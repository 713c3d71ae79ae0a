"""Messages of our own for `benchmarks.links`: links in Chinese, Japanese and Korean, and others."""

#: A message, and the links in it as they are written.
CJK_CASES: tuple[tuple[str, list[str]], ...] = (
    ("看这个https://shop.example.com/p/1。很好", ["https://shop.example.com/p/1"]),
    ("【https://a.com/x】", ["https://a.com/x"]),
    ("「https://a.com/x」と『https://b.com/y』", ["https://a.com/x", "https://b.com/y"]),
    ("（https://a.com/x）", ["https://a.com/x"]),
    ("《https://a.com/x》〈https://b.com〉", ["https://a.com/x", "https://b.com"]),
    ("https://a.com/x，便宜！", ["https://a.com/x"]),
    ("https://a.com/x！！", ["https://a.com/x"]),
    ("链接：https://a.com/x?id=1&k=2；快看", ["https://a.com/x?id=1&k=2"]),
    ("链接:a.com/x", ["a.com/x"]),
    ("复制HU1234https://a.com/x打开", ["https://a.com/x"]),
    ("一个a.com、两个b.cn、三个", ["a.com", "b.cn"]),
    ("https://a.com/x看https://b.com/y", ["https://a.com/x", "https://b.com/y"]),
    ("https://例子.中国/x 很好", ["https://例子.中国/x"]),
    ("去 例子.中国 看看", ["例子.中国"]),
    ("買いました https://例え.jp/a です", ["https://例え.jp/a"]),
    ("사세요 https://a.kr/b를 보세요", ["https://a.kr/b"]),
    ("a.kr에서 샀어요", ["a.kr"]),
    ("https://a.com/x\u200b你好", ["https://a.com/x"]),
    ("\u200bhttps://a.com/x\u200d", ["https://a.com/x"]),
    ("https://a.com/x\u3000https://b.com/y", ["https://a.com/x", "https://b.com/y"]),
    ("“https://a.com/x”……", ["https://a.com/x"]),
    ("看www.a.com，再看b.com:8080/x。", ["www.a.com", "b.com:8080/x"]),
    ("邮箱是foo@a.com。", []),
    ("天气不错。我们走吧", []),
    ("我买了.手机坏了", []),
    ("文件在 报价.pdf 和 readme.md 里", []),
    ("版本1.2.3，价格3.50元", []),
    ("ดูที่https://a.com/xครับ", ["https://a.com/x"]),
)

PLAIN_MESSAGES = (
    "Hey, are we still meeting at the station tomorrow around noon? I can bring the tickets.",
    "今天天气不错，我们一起去公园散步吧。中午在车站见面？",
    "Ich habe gestern den Tee gekauft. Er war gut, aber teuer (3,50 Euro). Kommst du mit?",
    "明日の午後、駅で会いましょう。切符は私が買います。",
    "ok",
    "Yes, e.g. at the corner: it opens at 8.30, closes at 6 p.m. and costs 3.50 or so...",
)
SHARED_MESSAGES = (
    "Have a look at https://shop.example.com/products/green-tea?variant=7&utm_source=chat please",
    "看这个https://shop.example.com/p/1，很便宜！",
    "I saw it on example.com/tea yesterday (not cheap).",
    "https://shop.example.com/products/green-tea",
)

#: Repeated to 8,192 characters, each is meant to be slow.
HOSTILE_UNITS = (
    "x.com.", "a.", "http://", "https://a.com/(", "https://a.com/()", "a@b.", "(",
    "[", "é.", "中.国",
    "x.comだ", "x.A", "http://x@", "https://a.com/'s", "_https://a.co/_", "http://a.", "a_.b-",
    "https://[", "x.com ", "http://x.com ", "a.com/", "www.", "例子.中国", "例子.中国 ",
    "@", "a.com中",
    "https://a.com/x?a=b&c=", "http://xn--a.", "a..", "com.", "中国.", "https://a.com?utm_source=x&",
    "t.co\n", "a.み", "https://é.com\n", "a.中国 ", "пример.рф ", "a.xn--p1ai ",
    "https://a.com/xhttps://",
    "[a.com](https://b.com)", "<https://a.co>", "￥aB3", "a.co,", "é.co ", "A.CO ", "HTTP://",
    "hTtP://a.Co ",
    "https://a.co/%zz ", "\u200b", "a\u200b.com", "😀.com", "http://😀.ws ", "https://a.com:80 ",
    "](https://",
    "](", "'s", "…", "1.1.1.1 ", "http://1.1.1.1 ", "http://[::1] ", "https://a.com/x,",
    "a" * 63 + ".",
    "http://-a.comだ.", "h", "https://a.com/h", "foo@中.a.com", "a.みんな",
    "https://" + "a." * 126 + "com ",
)  # fmt: skip
