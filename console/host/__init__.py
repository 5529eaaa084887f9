"""The machine under the platform: servers, secrets, roles, processes, their supervisor."""
