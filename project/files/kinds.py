"""What a file is, by its first bytes: its name and what the sender says of it are not believed."""

from __future__ import annotations

from typing import NamedTuple

HEAD_BYTES = 4096


class Type(NamedTuple):
    """`kind`: `image`, `video`, `audio`, or `file` for what is only downloaded."""

    kind: str
    content_type: str


UNKNOWN = Type("file", "application/octet-stream")
_MP4_VIDEO = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV"}
_MP4_AUDIO = {b"M4A ", b"M4B "}
_OGG_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


def type_of(head: bytes) -> Type:
    """Return the type of a file that begins with these bytes (HEAD_BYTES of them are enough)."""
    return _image(head) or _riff(head) or _container(head) or _sound(head) or UNKNOWN


def _image(head: bytes) -> Type | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Type("image", "image/png")
    if head.startswith(b"\xff\xd8\xff"):
        return Type("image", "image/jpeg")
    return Type("image", "image/gif") if head.startswith((b"GIF87a", b"GIF89a")) else None


def _riff(head: bytes) -> Type | None:
    if not head.startswith(b"RIFF"):
        return None
    return {b"WEBP": Type("image", "image/webp"), b"WAVE": Type("audio", "audio/wav")}.get(head[8:12])


def _container(head: bytes) -> Type | None:
    if head[4:8] == b"ftyp":
        if head[8:12] in _MP4_AUDIO:
            return Type("audio", "audio/mp4")
        return Type("video", "video/mp4") if head[8:12] in _MP4_VIDEO else None
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Type("video", "video/webm") if b"\x42\x82\x84webm" in head[:128] else None
    if head.startswith(b"OggS"):
        if b"\x80theora" in head[:128]:
            return Type("video", "video/ogg")
        return Type("audio", "audio/ogg") if any(mark in head[:128] for mark in _OGG_AUDIO) else None
    return None


def _sound(head: bytes) -> Type | None:
    if head.startswith(b"fLaC"):
        return Type("audio", "audio/flac")
    return Type("audio", "audio/mpeg") if head.startswith(b"ID3") or _is_mpeg_frame(head[:4]) else None


def _is_mpeg_frame(header: bytes) -> bool:
    """Tell whether these are the first bytes of a frame of MPEG-1 or 2, layer III (ISO/IEC 11172-3, 2.4.1.3)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return False
    has_version = header[1] & 0x18 != 0x08
    has_rates = header[2] & 0xF0 not in {0x00, 0xF0} and header[2] & 0x0C != 0x0C
    return has_version and has_rates
