"""`python -m deploy.kubernetes`: writes what is generated of this folder."""

from __future__ import annotations

from deploy.kubernetes.files import HOME, files


def main() -> None:
    """Write it."""
    for name, text in files().items():
        (HOME / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
