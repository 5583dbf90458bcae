"""Files to send: good ones and hostile ones, all made here."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from django.test import Client
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

SECRET = b"Canary Metadata"


def picture(width: int = 60, height: int = 40) -> Image.Image:
    """A picture whose left half is red and whose right half is blue."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def png(width: int = 60, height: int = 40) -> bytes:
    return encoded(picture(width, height), "PNG")


def jpeg_of_a_camera(orientation: int = 1) -> bytes:
    """A JPEG that says where it was taken, and that everybody else also wrote something into."""
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.ImageDescription] = SECRET.decode()
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSMapDatum] = SECRET.decode()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"
    return encoded(picture(), "JPEG", quality=95, exif=exif, comment=SECRET, xmp=xmp)


def annotated() -> dict[str, bytes]:
    """Each format with the canary in everything that it can carry beside its pixels."""
    exif = Image.Exif()
    exif[Base.ImageDescription] = SECRET.decode()
    text = b"tEXt" + b"Comment\0" + SECRET
    with_text = png()
    with_text = (
        with_text[:33] + struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)) + with_text[33:]
    )
    return {
        "JPEG": jpeg_of_a_camera(),
        "PNG": with_text,
        "PNG with EXIF": encoded(picture(), "PNG", exif=exif),
        "GIF": encoded(picture(), "GIF", comment=SECRET),
        "animated GIF": animation("GIF", comment=SECRET),
        "WebP": encoded(picture(), "WEBP", exif=exif, xmp=SECRET),
        "animated WebP": animation("WEBP", exif=exif, xmp=SECRET),
        "animated PNG": animation("PNG", exif=exif),
    }


def animation(format: str, frames: int = 3, size: tuple[int, int] = (20, 10), **options: Any) -> bytes:
    pictures = [Image.new("RGB", size, (number * 83 % 256, number // 3 % 256, 99)) for number in range(frames)]
    if format == "WEBP":
        options["lossless"] = True
    return encoded(pictures[0], format, save_all=True, append_images=pictures[1:], duration=50, loop=0, **options)


def png_flood(width: int, height: int) -> bytes:
    """A PNG of any size in a few kilobytes: all its pixels are one."""
    row = b"\0" + b"\0" * ((width + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*each) for each in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )


def webp_flood() -> bytes:
    """A WebP that says of its canvas that it has 16,384 pixels on each side."""
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + b"\xff\x3f\0" * 2
    animation = b"ANIM" + struct.pack("<I", 6) + b"\0" * 6
    body = b"WEBP" + canvas + animation
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_of_many(frames: int) -> bytes:
    """A GIF of so many pictures of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\x04\0\x05\0\0\0" + b"\x2c\0\0\0\0\1\0\1\0\0" + b"\x02\x02\x44\x01\0"
    return head + frame * frames + b";"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PIXELS = b"\0" * 64
OTHER_IMAGES = {
    "BMP": encoded(picture(), "BMP"),
    "TIFF": encoded(picture(), "TIFF"),
    "ICO": encoded(picture(32, 32), "ICO"),
    "PSD": b"8BPS\0\1" + PIXELS,
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + PIXELS,
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + PIXELS,
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "WMF": b"\xd7\xcd\xc6\x9a" + PIXELS,
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n" + PIXELS,
}
DOCUMENTS = {
    "HTML": b"<!doctype html><script>alert(1)</script>",
    "XML": b'<?xml version="1.0"?><x/>',
    "PDF": b"%PDF-1.7\n" + PIXELS,
    "JavaScript": b"alert(1)",
    "SWF": b"CWS\x0a" + PIXELS,
    "ZIP": b"PK\3\4" + PIXELS,
    "ELF": b"\x7fELF" + PIXELS,
    "text": "Grüße".encode(),
    "one byte": b"x",
}
SOUNDS_AND_FILMS = {
    "video/mp4": b"\0\0\0\x18ftypisom\0\0\2\0" + PIXELS,
    "video/webm": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\xf7\x81\1\x42\xf2\x81\4\x42\xf3\x81\x08\x42\x82\x84webm"
    + PIXELS,
    "audio/ogg": b"OggS\0\2" + b"\0" * 20 + b"\1\x13OpusHead" + PIXELS,
    "audio/mpeg": b"ID3\3\0" + PIXELS,
    "audio/wav": b"RIFF\x40\0\0\0WAVEfmt " + PIXELS,
    "audio/mp4": b"\0\0\0\x18ftypM4A \0\0\2\0" + PIXELS,
    "audio/flac": b"fLaC\0\0\0\x22" + PIXELS,
}


def stored(folder: Path) -> list[Path]:
    """Return all files that there are in a folder of uploads."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def send(client: Client, slug: str, data: bytes, name: str = "file.bin", **headers: str) -> Any:
    return client.post(
        f"/rooms/{slug}/files/",
        data,
        content_type="application/octet-stream",
        query_params={"name": name},
        headers={"Accept": "application/json", **headers},
    )
