"""Images are decoded in a child with limits, and come out new."""

from __future__ import annotations

import io
import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from PIL import Image

from project.files import images
from tests.files import making

MUTATIONS = int(os.environ.get("EARSHOT_TEST_MUTATIONS", "20"))  # of each format; 500 take some minutes


@pytest.fixture
def remake(tmp_path: Path) -> Any:
    def remade(data: bytes) -> tuple[images.Picture, Image.Image, bytes, bytes | None]:
        source, target, thumbnail = (tmp_path / name for name in ("source", "target", "thumbnail"))
        source.write_bytes(data)
        thumbnail.unlink(missing_ok=True)
        picture = images.remake(source, target, thumbnail)
        small = thumbnail.read_bytes() if thumbnail.exists() else None
        return picture, Image.open(io.BytesIO(target.read_bytes())), target.read_bytes(), small

    return remade


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_image_keeps_its_format_and_size(remake: Any, format: str) -> None:
    picture, image, _data, small = remake(making.encoded(making.picture(), format))
    assert (picture.content_type, picture.width, picture.height) == (f"image/{format.lower()}", 60, 40)
    assert (image.format, image.size, picture.thumbnail, small) == (format, (60, 40), None, None)
    red, blue = image.convert("RGB").getpixel((5, 20)), image.convert("RGB").getpixel((55, 20))
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]


@pytest.mark.parametrize("data", making.annotated().values(), ids=making.annotated())
def test_image_says_nothing_beside_its_pixels(remake: Any, data: bytes) -> None:
    assert making.SECRET in data
    picture, image, out, small = remake(data)
    assert [each for each in (out, small or b"") if making.SECRET in each] == []
    assert not image.getexif()
    assert {"exif", "xmp", "comment", "icc_profile", "photoshop", "XML:com.adobe.xmp"} & set(image.info) == set()
    assert picture.is_animated == (getattr(image, "n_frames", 1) > 1)


def test_large_image_gets_a_thumbnail_without_metadata(remake: Any) -> None:
    big = making.picture(2000, 1000)
    exif = Image.Exif()
    exif[270] = making.SECRET.decode()
    data = making.encoded(big, "JPEG", exif=exif)
    assert making.SECRET in data
    picture, _image, out, small = remake(data)
    assert picture.thumbnail == (720, 360)
    assert small
    assert Image.open(io.BytesIO(small)).size == (720, 360)
    assert making.SECRET not in out + small


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(remake: Any, orientation: int) -> None:
    picture, image, _out, _small = remake(making.jpeg_of_a_camera(orientation))
    turned = orientation > 4
    assert (picture.width, picture.height) == image.size == ((40, 60) if turned else (60, 40))
    place = {1: (5, 20), 2: (55, 20), 3: (55, 20), 4: (5, 20), 5: (20, 5), 6: (20, 5), 7: (20, 55), 8: (20, 55)}
    assert image.getpixel(place[orientation])[0] > 200


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_animation_goes_on_moving(remake: Any, format: str) -> None:
    picture, image, _out, small = remake(making.animation(format, frames=4))
    assert (picture.is_animated, getattr(image, "n_frames", 1), image.info.get("loop")) == (True, 4, 0)
    assert picture.thumbnail == (20, 10)
    assert small
    assert getattr(Image.open(io.BytesIO(small)), "n_frames", 1) == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixels_is_kept(remake: Any, mode: str) -> None:
    image = Image.new("I;16", (900, 30)) if mode == "I;16" else making.picture(900, 30).convert("RGBA").convert(mode)
    if mode == "CMYK":
        image = making.picture(900, 30).convert("CMYK")
    picture, _image, _out, small = remake(making.encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert (picture.width, picture.height) == (900, 30)
    assert small


FLOODS = {
    "12,000 squared": (making.png_flood(12_000, 12_000), "40 megapixels"),
    "20,000 squared": (making.png_flood(20_000, 20_000), "40 megapixels"),
    "65,535 by 1": (making.png_flood(65_535, 1), "12000 pixels"),
    "1 by 65,535": (making.png_flood(1, 65_535), "12000 pixels"),
    "WebP's canvas": (making.webp_flood(), "40 megapixels"),
    "10,000 pictures": (making.gif_of_many(10_000), "300 pictures"),
    "301 pictures, PNG": (making.animation("PNG", frames=301, size=(2, 2)), "300 pictures"),
    "301 pictures, WebP": (making.animation("WEBP", frames=301, size=(2, 2)), "300 pictures"),
}


def test_images_at_the_limits_are_taken(remake: Any) -> None:
    assert remake(making.png_flood(12_000, 3_300))[0].width == 12_000
    assert remake(making.gif_of_many(1))[0].width == 1


@pytest.mark.parametrize(("data", "reason"), FLOODS.values(), ids=FLOODS)
def test_flood_is_refused_before_it_is_decoded(remake: Any, data: bytes, reason: str) -> None:
    before = psutil.Process().memory_info().rss
    with pytest.raises(images.ImageRefusedError, match=reason):
        remake(data)
    assert psutil.Process().memory_info().rss - before < 30_000_000


def test_flood_takes_little_memory_in_its_process(tmp_path: Path) -> None:
    source = tmp_path / "flood"
    source.write_bytes(making.png_flood(20_000, 20_000))
    job = {"source": str(source), "target": str(tmp_path / "t"), "thumbnail": str(tmp_path / "s")}
    # A grandchild, so that the largest of ITS children is that image's process.
    script = (
        "import json, resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-I', *sys.argv[1:]], capture_output=True)\n"
        "print(done.stdout.decode(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    argument = json.dumps({**job, "limits": settings.IMAGE_LIMITS})
    done = subprocess.run(
        [sys.executable, "-c", script, str(images.CHILD), argument], capture_output=True, check=True, text=True
    )
    reason, kilobytes = done.stdout.split()
    assert reason == "pixels"
    assert int(kilobytes) < 256 * 1024


@pytest.mark.parametrize("data", making.OTHER_IMAGES.values(), ids=making.OTHER_IMAGES)
def test_other_formats_are_never_decoded(remake: Any, data: bytes) -> None:
    with pytest.raises(images.ImageRefusedError, match="damaged"):
        remake(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_damaged_image_is_refused_or_comes_out_whole(remake: Any, format: str, record_property: Any) -> None:
    record_property("mutations", MUTATIONS)
    whole = making.encoded(making.picture(), format)
    chance = random.Random(format)  # noqa: S311
    refused = 0
    for _ in range(MUTATIONS):
        data = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.3 else whole)
        for _flip in range(chance.randrange(1, 6)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            picture, image, _out, _small = remake(bytes(data))
        except images.ImageRefusedError:
            refused += 1
        else:
            image.load()
            assert image.size == (picture.width, picture.height)
    assert refused > 0


def test_child_keeps_to_its_limits(remake: Any, settings: Any) -> None:
    big = making.encoded(Image.effect_noise((3_000, 3_000), 90), "PNG")
    assert remake(big)[0].width == 3_000
    usual = settings.IMAGE_LIMITS
    for limits, reason in (({"memory": 40 * 1024 * 1024}, "too large"), ({"wall_seconds": 0.01}, "too long")):
        settings.IMAGE_LIMITS = {**usual, **limits}
        with pytest.raises(images.ImageRefusedError, match=reason):
            remake(big)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY, "its limits are not ours"


def is_red(image: Image.Image, place: tuple[int, int]) -> bool:
    return image.convert("RGB").getchannel("R").crop((*place, place[0] + 1, place[1] + 1)).tobytes() > b"\x80"


def test_crop_takes_the_chosen_square_and_the_middle_by_itself(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(making.encoded(making.picture(200, 100), "PNG"))
    for square, colours in (
        ({"left": 0.0, "top": 0.0, "side": 1.0}, ("red", "red")),
        ({"left": 1.0, "top": 0.0, "side": 1.0}, ("blue", "blue")),
        ({"left": 99.0, "top": 99.0, "side": 0.5}, ("blue", "blue")),
        ({"left": None, "top": None, "side": None}, ("red", "blue")),
    ):
        images.crop(source, target, square, pixels=64)
        with Image.open(target) as image:
            assert (image.format, image.size) == ("WEBP", (64, 64))
            found = tuple("red" if is_red(image, (x, 32)) else "blue" for x in (4, 60))
        assert found == colours
