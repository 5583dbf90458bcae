"""What should never be accepted, and what always should: shared by the tests of every field."""

BLANK = {
    "empty": "",
    "spaces": "   ",
    "new lines": "\r\n\n",
    "zero width space": "\u200b",
    "byte order mark": "\ufeff",
    "joiners": "\u200d\u200c",
    "soft hyphen": "\u00ad",
    "Hangul filler": "\u3164",
    "braille blank": "\u2800",
    "no-break space": "\u00a0",
    "ideographic space": "\u3000",
}
BROKEN = {
    "NUL": "a\x00b",
    "escape": "a\x1b[31mb",
    "bell": "\x07a",
    "backspace": "a\x08",
    "delete": "a\x7fb",
    "C1 control": "a\x9bb",
    "next line": "a\x85b",
    "Zalgo": "a" + "\u0301" * 1_000,
    "nine marks": "x" + "\u0323" * 9,
}
REVERSED = {
    f"U+{ord(mark):04X}": f"a{mark}b"
    for mark in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
}
GOOD = {
    "family": "👨‍👩‍👧‍👦",
    "flag": "🏴󠁧󠁢󠁳󠁣󠁴󠁿🇺🇳",
    "Arabic": "مرحبا بالعالم",
    "Hebrew with points": "שָׁלוֹם",
    "Thai": "สวัสดีชาวโลก",
    "Chinese": "你好，世界",
    "Devanagari": "नमस्ते दुनिया",
    "Vietnamese": "Tiếng Việt",
    "Tibetan": "བཀྲ་ཤིས་",
    "four bytes": "𝔈𝔞𝔯𝔰𝔥𝔬𝔱",
    "quotes": "\"'`<>&;--",
    "template": "{{ x }}{% y %}%s%(x)s",
    "three marks": "ẹ̀́",
}
# In a path none of these is an id that there is.
BAD_IDS = ("0", "-1", str(2**63), str(2**64), "9" * 400, "9" * 5_000, "1e3", "%D9%A1", "1_0", "%201", "%00", "..", "a")
# In a query or a form none of these is a number.
BAD_NUMBERS = (
    "-1",
    str(2**63),
    str(2**64),
    "9" * 400,
    "9" * 5_000,
    "1e3",
    "١",
    "1_0",
    "1.0",
    "0x1",
    "1\x00",
    "a",
    "1,2",
)
HOSTILE_FIELDS = {
    "author": "2",
    "author_id": "2",
    "room": "9",
    "room_id": "9",
    "position": "1",
    "html": "<script>window.__x=1</script>",
    "created_at": "2000-01-01",
    "edited_at": "2000-01-01",
    "deleted_at": "2000-01-01",
    "pinned_at": "2000-01-01",
    "id": "1",
    "pk": "1",
    "role": "owner",
    "is_staff": "1",
    "is_superuser": "1",
    "user": "2",
    "actor": "2",
    "slug": "stolen",
    "channel_name": "room_x_0123456789ab",
    "last_position": "99",
    "room__password": "x",
    "order_by": "-author__password",
    "_connector": "OR 1=1",
    "_method": "DELETE",
    "'; --": "'; --",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
