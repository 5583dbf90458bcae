"""The files in a form that a browser without JavaScript sends."""

from __future__ import annotations

import tempfile
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest

from project.files import store

_FAULT = "earshot_storage_failed"


class DiskUploadHandler(FileUploadHandler):
    """Writes every file to the disk of the uploads, however small it is. Where it can't, the request says so."""

    _part: IO[bytes] | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        try:
            self._part = tempfile.TemporaryFile(dir=store.incoming_folder())  # noqa: SIM115 (closed by the request)
        except (OSError, store.StorageError):
            self._note_fault()
            raise SkipFile from None

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if self._part is None:
            return raw_data
        try:
            self._part.write(raw_data)
        except OSError:
            self._note_fault()
            raise StopUpload(connection_reset=True) from None
        return None

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        part, self._part = self._part, None
        if part is None:
            return None
        part.seek(0)
        return UploadedFile(part, self.file_name, self.content_type, file_size, self.charset)

    def upload_interrupted(self) -> None:
        if self._part:
            self._part.close()

    def _note_fault(self) -> None:
        setattr(self.request, _FAULT, True)


def were_written(request: HttpRequest) -> bool:
    """Tell whether all files of a form that has been read could be written."""
    return not getattr(request, _FAULT, False)
