"""Image files as RGB pixels: how each kind is read, how it is turned, and what is refused.

Every image of the project is read here. The rules:

- Transparency is dropped, as CLIP's own preprocessing does: a pixel keeps the colour that is stored
  under its alpha. Of several frames or pages the first counts.
- Grey of 16 bits keeps its high byte, ``value // 256``, as Pillow reads colours of 16 bits. Numbers
  whose range no file states (floating point, 32 bits, signed, 12 bits) are refused: to clip or to
  stretch them would be a guess.
- A PNG is read only if its checksums hold. JPEG has none: a flipped bit in it cannot be seen.
- EXIF orientation is ignored by `read_image`, for images whose truth is of the stored pixels, and
  applied by `read_photograph`, for images that people look at. Pillow itself turns TIFF files.
- Up to 178 million pixels are read (twice `PIL.Image.MAX_IMAGE_PIXELS`); above half of it Pillow
  warns, where warnings are no errors.
"""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

PNG = b"\x89PNG\r\n\x1a\n"
END_OF_CODE = b"\xff\xd9"
LARGEST_FILE = 2**31 - 1
"""Bytes: more than the largest image has that is read, uncompressed."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings the stored pixels of an EXIF orientation into the position that is shown."""
SAID = (
    ValueError, OSError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""Errors whose text is a sentence."""
UNSTATED = ("I", "F")
"""Modes of 32 bits: files do not say which value is white."""


def read_image(source: Path | BytesIO, name: str = "") -> Image.Image:
    """The stored pixels of an image file, or of its bytes, as RGB; ``name`` is for errors.

    Raises ValueError if it is broken, no image, or of a kind whose range of values is unknown,
    FileNotFoundError if there is no such file.
    """
    try:
        return as_rgb(open_image(read_bytes(source)))
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no image {name or source}") from None
    except Exception as error:  # Pillow's parsers of hostile bytes raise anything
        raise ValueError(f"{name or source} cannot be read as an image: {reason(error)}") from error


def read_photograph(source: Path) -> Image.Image:
    """An image file as RGB as people see it: turned as its EXIF orientation says.

    The result has no orientation left. Raises what `read_image` does.
    """
    stored = read_image(source)
    turn = TURNS.get(orientation(stored))
    shown = stored if turn is None else stored.transpose(turn)
    shown.info = {}  # whatever holds the orientation: EXIF, XMP, a text chunk
    return shown


def orientation(image: Image.Image) -> int:
    """The EXIF orientation that an image came with, 1 to 8; 1 is as stored.

    1 also for EXIF that cannot be parsed: what no program reads turns no picture.
    """
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001 a parser of hostile bytes
        return 1
    return found if isinstance(found, int) and found in TURNS else 1


def as_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode as RGB. Raises ValueError where the range of its values is unknown."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        check_depth(image)  # Pillow scales PPM to 16 bits whatever the file's own maximum
        found = Image.fromarray((np.asarray(image) >> 8).astype("uint8")).convert("RGB")
        found.info = dict(image.info)
        return found
    if image.mode in UNSTATED:
        kind = "floating-point" if image.mode == "F" else "32-bit or signed"
        raise ValueError(
            f"it has {kind} values, whose range is not stated, expected 8 bits, or 16 bits unsigned"
        )
    if image.mode == "P":  # in two steps: Pillow warns of transparency that it cannot keep
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def check_depth(image: Image.Image) -> None:
    """Raise ValueError for 12-bit TIFF, and 16-bit TIFF with white as 0: Pillow ignores both."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(ExifTags.Base.BitsPerSample, (16,))
    inverted = tags.get(ExifTags.Base.PhotometricInterpretation) == 0
    if tuple(bits) != (16,) or inverted:
        said = "0 for white" if inverted else f"{bits[0]} bits a pixel"
        raise ValueError(f"it is a TIFF with {said}, expected 16 bits with 0 for black")


def read_bytes(source: Path | BytesIO) -> bytes:
    """The content of a file. Raises ValueError if it is larger than any image."""
    if isinstance(source, BytesIO):
        return source.getvalue()
    with source.open("rb") as stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"it has more than {LARGEST_FILE} bytes")
    return content


def open_image(content: bytes) -> ImageFile.ImageFile:
    """An image in its own mode, decoded when it is used: then, as here, Pillow raises anything."""
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise ValueError("PIL.ImageFile.LOAD_TRUNCATED_IMAGES is set, which fills gaps with grey")
    if content.startswith(PNG):
        check_png(content)
    opened = Image.open(BytesIO(content))
    if opened.format == "JPEG2000" and END_OF_CODE not in content:
        raise ValueError("it ends early")  # its decoder makes grey of what is missing
    if opened.format == "EPS":
        raise ValueError("it is EPS, a program that would have to be run")
    if 0 in opened.size:
        raise ValueError(f"it is {opened.height}x{opened.width} (height x width)")
    return opened


def check_png(content: bytes) -> None:
    """Raise ValueError if a chunk that pixels depend on is damaged: Pillow does not look.

    Without this a flipped bit of a mask is another label, often enough.
    """
    last = b""
    for kind, data, checksum in png_chunks(content):
        last = kind
        if kind[:1].isupper() and zlib.crc32(data, zlib.crc32(kind)) != checksum:
            raise ValueError(f"the checksum of its {kind.decode('latin-1')} is wrong")
    if last != b"IEND":
        raise ValueError("it ends early")


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Kind, data and checksum of each whole chunk up to the end of the picture."""
    place = len(PNG)
    while place + 12 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        if end + 4 > len(content):
            return
        yield kind, content[place + 8 : end], struct.unpack_from(">I", content, end)[0]
        if kind == b"IEND":
            return
        place = end + 4


def reason(error: Exception) -> str:
    """What Pillow says, in one line and without addresses in memory."""
    if isinstance(error, UnidentifiedImageError):
        return "it is none of the formats that are known"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    said = " ".join(str(error).split())
    return said if isinstance(error, SAID) else f"{type(error).__name__}: {said}"
