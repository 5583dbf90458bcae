"""Run as a script, for one image: reads it under limits, writes it without its metadata, says what it is in JSON.

It imports nothing of Earshot, and is told all it knows in its one argument. Exit status 3 means that it refused the
image; what it prints is then the reason, in one word.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import struct
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError
from PIL.WebPImagePlugin import WebPImageFile  # noqa: F401 (with it, the format makes itself known)

REFUSED = 3
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
JPEG_QUALITY = 88
WEBP_QUALITY = 82
ANIMATION_PIXELS_MAX = 60_000_000  # of all pictures together: their encoders hold them all
BIG = 8_000_000  # pixels; above that a PNG is packed less tightly, in a fraction of the time


class RefusedError(Exception):
    pass


def main(job: dict[str, Any]) -> None:
    limit_this_process(job["limits"])
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = job["limits"]["pixels"]
    try:
        said = cropped(job) if "crop" in job else remade(job)
    except RefusedError as error:
        refuse(str(error))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        refuse("pixels")
    except UnidentifiedImageError:
        refuse("damaged")
    except MemoryError:
        refuse("memory")
    except OSError as error:
        refuse("disk" if error.errno else "damaged")
    except Exception:  # noqa: BLE001 (decoders raise all kinds of things for what is no image)
        refuse("damaged")
    else:
        sys.stdout.write(json.dumps(said))


def limit_this_process(limits: dict[str, int]) -> None:
    os.nice(10)  # talk comes first
    for what, most in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, limits["output"]),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def refuse(reason: str) -> None:
    sys.stdout.write(reason)
    sys.stdout.flush()
    os._exit(REFUSED)


def opened(source: str, limits: dict[str, int]) -> Any:
    """Open an image that is within the limits; nothing of it has been decoded yet."""
    check_canvas(source, limits)
    image = Image.open(source, formats=FORMATS)
    check_size(*image.size, limits)
    if frames_of(image) > limits["frames"]:
        raise RefusedError("frames")
    return image


def check_size(width: int, height: int, limits: dict[str, int]) -> None:
    if width * height > limits["pixels"]:
        raise RefusedError("pixels")
    if max(width, height) > limits["side"]:
        raise RefusedError("side")


def check_canvas(source: str, limits: dict[str, int]) -> None:
    """Check the size of a WebP by its header: its decoder makes room for the whole canvas when it opens one.

    RFC 9649, sections 2.5 to 2.7.
    """
    with Path(source).open("rb") as file:
        head = file.read(30)
    if head[8:12] != b"WEBP" or len(head) < 30:
        return
    if head[12:16] == b"VP8X":
        check_size(int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1, limits)
    elif head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        check_size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, limits)
    else:
        width, height = struct.unpack("<HH", head[26:30])
        check_size(width & 0x3FFF, height & 0x3FFF, limits)


def frames_of(image: Any) -> int:
    # A camera's MPO is a JPEG with further ones behind it, which browsers don't show either.
    return 1 if kind_of(image) == "JPEG" else int(getattr(image, "n_frames", 1))


def kind_of(image: Any) -> str:
    return "JPEG" if image.format == "MPO" else str(image.format)


def remade(job: dict[str, Any]) -> dict[str, Any]:
    limits = job["limits"]
    image = opened(job["source"], limits)
    kind = kind_of(image)
    if frames_of(image) > 1:
        if frames_of(image) * image.width * image.height > ANIMATION_PIXELS_MAX:
            raise RefusedError("memory")
        first = write_animation(image, kind, job["target"])
        is_animated = True
    else:
        first = upright(image)
        write_still(first, kind, job["target"])
        is_animated = False
    return {
        "content_type": f"image/{kind.lower()}",
        "width": first.width,
        "height": first.height,
        "animated": is_animated,
        "thumbnail": write_thumbnail(first, job["thumbnail"], limits, always=is_animated),
    }


def cropped(job: dict[str, Any]) -> dict[str, Any]:
    image = plain(upright(opened(job["source"], job["limits"])))
    shorter = min(image.size)
    asked = {name: value if value is None else round(value * shorter) for name, value in job["crop"].items()}
    side = max(1, min(shorter, asked["side"] or shorter))
    left = placed(asked["left"], image.width - side)
    top = placed(asked["top"], image.height - side)
    box = (left, top, left + side, top + side)
    small = image.resize((job["pixels"], job["pixels"]), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    write(small, job["target"], format="WEBP", quality=86, method=6)
    return {}


def placed(asked: int | None, most: int) -> int:
    return most // 2 if asked is None else max(0, min(most, asked))


def upright(image: Any) -> Any:
    """Return the image turned as it was taken, in the web's colours, with nothing attached to it."""
    profile = image.info.get("icc_profile")
    image.load()
    with contextlib.suppress(Exception):  # a broken note about the orientation
        ImageOps.exif_transpose(image, in_place=True)
    image = in_web_colours(image, profile)
    if image.mode in {"CMYK", "YCbCr", "LAB", "HSV"}:
        image = image.convert("RGB")
    return bare(image)


def in_web_colours(image: Any, profile: bytes | None) -> Any:
    if not profile or image.mode not in {"RGB", "RGBA", "CMYK"}:
        return image
    mode = "RGB" if image.mode == "CMYK" else image.mode
    try:
        in_place = mode == image.mode
        source, target = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        changed = ImageCms.profileToProfile(image, source, target, outputMode=mode, inPlace=in_place)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return image if in_place else changed


def bare(image: Any) -> Any:
    """Take away all that the file said beside its pixels: encoders would write some of it again."""
    image.info = {"transparency": image.info["transparency"]} if "transparency" in image.info else {}
    return image


def plain(image: Any) -> Any:
    """Return the image in plain colours, with transparency if it has any."""
    has_transparency = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    mode = "RGBA" if has_transparency else "RGB"
    return image if image.mode == mode else image.convert(mode)


def write_still(image: Any, kind: str, target: str) -> None:
    if kind == "JPEG":
        image = image if image.mode in {"L", "RGB"} else image.convert("RGB")
        write(image, target, format="JPEG", quality=JPEG_QUALITY)
    elif kind == "WEBP":
        write(plain(image), target, format="WEBP", quality=WEBP_QUALITY, method=3)
    elif kind == "GIF":
        write(image, target, format="GIF")
    else:
        packing = 2 if image.width * image.height > BIG else 6
        write(image, target, format="PNG", compress_level=packing)


def write_animation(image: Any, kind: str, target: str) -> Any:
    """Write all pictures of an animation anew; return the first."""
    loop = image.info.get("loop")
    pictures, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(max(20, min(60_000, int(frame.info.get("duration") or 100))))
        pictures.append(bare(plain(frame).copy()))
    options: dict[str, Any] = {"save_all": True, "append_images": pictures[1:], "duration": durations}
    if loop is not None or kind != "GIF":
        options["loop"] = loop or 0
    if kind == "GIF":
        options["disposal"] = 2 if pictures[0].mode == "RGBA" else 1
    elif kind == "WEBP":
        options |= {"quality": WEBP_QUALITY, "method": 0}
    else:
        options |= {"default_image": False, "blend": 0, "disposal": 0}
    write(pictures[0], target, format=kind, **options)
    return pictures[0]


def write_thumbnail(image: Any, target: str, limits: dict[str, int], *, always: bool) -> tuple[int, int] | None:
    side = limits["thumbnail"]
    if max(image.size) <= side and not always:
        return None
    scale = min(1.0, side / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = plain(image).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    write(small, target, format="WEBP", quality=80, method=3)
    return size


def write(image: Any, target: str, **options: Any) -> None:
    with Path(target).open("wb") as file:
        image.save(file, **options)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
