"""Where the files that sessions leave are kept: in a folder, or in a bucket that speaks S3."""

from pathlib import Path
from typing import Any

from config import environment

_CONNECT_SECONDS = 2
_READ_SECONDS = 5


def storage(folder: Path) -> dict[str, Any]:
    """The storage as Django's settings describe it; raises BadSetting."""
    bucket = environment.text("AUTONOMY_ARTIFACTS_BUCKET")
    return _bucket(bucket) if bucket else _folder(folder)


def _folder(folder: Path) -> dict[str, Any]:
    return {
        "BACKEND": "autonomy.tasks.services.storage.ContentFolder",
        "OPTIONS": {"location": str(folder), "file_permissions_mode": 0o600},
    }


def _bucket(name: str) -> dict[str, Any]:
    try:
        from botocore.config import Config  # noqa: PLC0415 -- an extra
    except ImportError:
        raise environment.BadSetting(
            "AUTONOMY_ARTIFACTS_BUCKET needs the extra `s3`: install autonomy[s3]"
        ) from None
    # A node waits for it between two turns of its loop: never long, and never again by itself.
    patience = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": 1},
        signature_version="s3v4",
        s3={"addressing_style": environment.text("AUTONOMY_ARTIFACTS_ADDRESSING", "auto")},
    )
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": environment.text("AUTONOMY_ARTIFACTS_ENDPOINT") or None,
            "region_name": environment.text("AUTONOMY_ARTIFACTS_REGION") or None,
            "access_key": environment.text("AUTONOMY_ARTIFACTS_ACCESS_KEY") or None,
            "secret_key": environment.text("AUTONOMY_ARTIFACTS_SECRET_KEY") or None,
            "location": "artifacts",
            "file_overwrite": True,
            "default_acl": None,
            "client_config": patience,
        },
    }
