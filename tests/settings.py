"""Settings of the test run: the real ones, with a fixed key and fast passwords."""

import os

os.environ.setdefault("SECRET_KEY", "only for tests")

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"]["OPTIONS"]["options"] += " -c autonomy.testing=on"  # noqa: F405 -- lets tests empty the ledger
